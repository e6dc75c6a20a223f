import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import { SessionService } from 'nestjs-tessera';

/** What a resolver finds in the context of an operation over HTTP. */
export interface Operation {
  readonly req: { readonly headers: Record<string, string | undefined> };
}

/** `AuthGuard` of the library is for HTTP handlers. This one takes the HTTP request out of the operation's context. */
@Injectable()
export class OperationGuard implements CanActivate {
  constructor(private readonly sessions: SessionService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { req } = GqlExecutionContext.create(context).getContext<Operation>();
    const { principal } = await this.sessions.of(req);
    if (principal === null) throw new UnauthorizedException('Log in first');
    return true;
  }
}
