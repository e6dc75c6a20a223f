import { Controller, Get, Post, Redirect, UseGuards } from '@nestjs/common';
import { AuthGuard, Principal, Session } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';

/** Names of RFC 8176, in words. */
const METHODS: Readonly<Record<string, string>> = { pwd: 'password', otp: 'code' };

/** What the session knows, and what can be done with it. */
@Controller('account')
@UseGuards(AuthGuard)
export class AccountController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @Page('account', 'Account')
  async show(@Session() session: Session, @Principal() { id, roles }: Principal): Promise<object> {
    const { createdAt, authenticatedAt, amr, level, idleTimeout, deadline, remembered } = session;
    const { hasSecondFactor } = await this.users.get(id);
    return {
      facts: {
        id: session.id,
        principal: id,
        roles: roles.join(', '),
        createdAt,
        authenticatedAt,
        methods: amr.map((method) => METHODS[method] ?? method).join(' and '),
        level,
        remembered,
      },
      hasSecondFactor,
      idleTimeout,
      lifetimeLeft: deadline - Date.now(),
      deadline,
    };
  }

  @Post('renew')
  @Redirect()
  renew(@Session() session: Session): SeeOther {
    session.renewToken();
    tell(session, 'notice', 'Your browser has a new token. The old one opens nothing any more.');
    return seeOther('/account');
  }

  /** Needs no password: it can only shorten the session. */
  @Post('stop-remembering')
  @Redirect()
  stopRemembering(@Session() session: Session): SeeOther {
    session.rememberMe(false);
    tell(session, 'notice', 'You are logged out when this browser is closed.');
    return seeOther('/account');
  }

  /** Ends the session without beginning another, so that the browser drops its cookie. */
  @Post('forget')
  @Redirect()
  forget(@Session() session: Session): SeeOther {
    session.destroy();
    return seeOther('/goodbye');
  }
}
