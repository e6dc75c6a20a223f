import { Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard as PassportGuard, type IAuthGuard, type Type } from '@nestjs/passport';
import type { Request } from 'express';
import type { User } from './users';

/** What a login has come to: `user` is `null` when it was refused. */
export type LoginRequest = Omit<Request, 'user'> & { readonly user: User | null };

/** Logs in the user of a strategy. A refused login reaches the handler too, which tells the visitor. */
function loginGuard(strategy: string): Type<IAuthGuard> {
  @Injectable()
  class LoginGuard extends PassportGuard(strategy) {
    override async canActivate(context: ExecutionContext): Promise<boolean> {
      await super.canActivate(context); // at the beginning of a login at a provider, the answer ends here
      const request = context.switchToHttp().getRequest<LoginRequest>();
      if (request.user !== null) await super.logIn(request);
      return true;
    }

    override handleRequest<T>(error: unknown, user: T | false | null): T {
      if (error) throw error as Error;
      return (user || null) as T;
    }
  }
  return LoginGuard;
}

export const PasswordGuard = loginGuard('local');
export const ExampleGuard = loginGuard('example');
