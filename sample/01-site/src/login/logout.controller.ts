import { Controller, Post, Redirect } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';

/** By POST alone: a link, an image or a prefetching browser must not be able to log anybody out. */
@Controller('logout')
export class LogoutController {
  @Post()
  @Redirect()
  logout(@Session() session: Session): SeeOther {
    const name = session.constant('name');
    session.logout();
    // The old session is gone with all it held; the farewell belongs to a new and empty one.
    tell(
      session,
      'notice',
      name === undefined ? 'You are logged out.' : `You are logged out. Farewell, ${name}.`,
    );
    return seeOther('/');
  }
}
