import { Controller, Get, Post, Redirect, UseGuards } from '@nestjs/common';
import { AuthGuard, Principal, Session } from 'nestjs-tessera';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';

/** What the session knows, and what can be done with it. */
@Controller('account')
@UseGuards(AuthGuard)
export class AccountController {
  @Get()
  @Page('account', 'Account')
  show(@Session() session: Session, @Principal() { id, roles }: Principal): object {
    const { createdAt, authenticatedAt, idleTimeout, deadline, remembered } = session;
    return {
      facts: {
        id: session.id,
        principal: id,
        roles: roles.join(', '),
        createdAt,
        authenticatedAt,
        remembered,
      },
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
