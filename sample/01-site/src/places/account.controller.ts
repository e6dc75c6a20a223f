import { Controller, Get, Post, Redirect, UseGuards } from '@nestjs/common';
import { AuthGuard, Principal, Session } from 'nestjs-tessera';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';

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
    session.flash('notice', 'Your browser has a new token. The old one opens nothing any more.');
    return seeOther('/account');
  }

  @Post('remember')
  @Redirect()
  remember(@Session() session: Session): SeeOther {
    session.rememberMe(!session.remembered);
    session.flash(
      'notice',
      session.remembered
        ? 'You stay logged in when this browser is closed.'
        : 'You are logged out when this browser is closed.',
    );
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
