import {
  Catch,
  Injectable,
  UnauthorizedException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { AuthGuard as PassportGuard, PassportStrategy } from '@nestjs/passport';
import type { Request, Response } from 'express';
import { SessionService } from 'nestjs-tessera';
import { Strategy } from 'passport-local';
import { Users, type User } from './users';

/** As it was with express-session. There is no serializer any more: `login` of the session stores who the user is. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly users: Users) {
    super();
  }

  validate(username: string, password: string): User {
    const user = this.users.verify(username, password);
    if (user === null) throw new UnauthorizedException('Wrong name or password');
    return user;
  }
}

/** Checks the form with Passport, which is registered with `session: false` and so never asks for `request.session`. */
export class LocalGuard extends PassportGuard('local') {}

/** Shows the login form with a message instead of an answer 401, and remembers the page that was asked for. */
@Catch(UnauthorizedException)
export class LoginFilter implements ExceptionFilter {
  constructor(private readonly sessions: SessionService) {}

  async catch(exception: UnauthorizedException, host: ArgumentsHost): Promise<void> {
    const request = host.switchToHttp().getRequest<Request>();
    const session = await this.sessions.of(host);
    session.flash('error', exception.message);
    if (request.method === 'GET') session.set('returnTo', request.originalUrl);
    host.switchToHttp().getResponse<Response>().redirect(303, '/login');
  }
}
