import { Body, Controller, Get, HttpCode, Put } from '@nestjs/common';
import { Principal, Session, SessionService } from 'nestjs-tessera';
import { NewPasswordForm } from './forms';
import { Users } from './users';

@Controller()
export class AccountController {
  constructor(
    private readonly sessions: SessionService,
    private readonly users: Users,
  ) {}

  @Get('me')
  me(@Session() { principal, authenticatedAt, expiresAt }: Session): object {
    return { name: principal!.id, loggedInAt: new Date(authenticatedAt!), expiresAt: new Date(expiresAt) };
  }

  /** Logs out all other devices, which may know the former password only. This one gets a new token, in `X-Session-Token`. */
  @Put('password')
  @HttpCode(204)
  async changePassword(
    @Principal() user: Principal,
    @Body() { current, next }: NewPasswordForm,
  ): Promise<void> {
    await this.users.verify(user.id, current);
    await this.users.changePassword(user.id, next);
    await this.sessions.endAll(user, { except: 'current', reason: 'password-changed' });
  }
}
