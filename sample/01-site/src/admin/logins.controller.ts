import { Body, Controller, Get, Post, Redirect, Render, Sse, type MessageEvent } from '@nestjs/common';
import { RequireRoles, Session, SessionRegistry } from 'nestjs-tessera';
import type { Observable } from 'rxjs';
import { SessionDto } from '../devices/session.dto';
import { LivePage } from '../live/live-page.decorator';
import { Live } from '../live/live.service';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { Logins } from './logins';

/** Who is logged in, live, and a button to end each login. */
@Controller('admin/sessions')
@RequireRoles('admin')
export class LoginsController {
  constructor(
    private readonly logins: Logins,
    private readonly registry: SessionRegistry,
    private readonly live: Live,
  ) {}

  @Get()
  @LivePage('logins', 'Who is logged in')
  async show(@Session() session: Session): Promise<object> {
    return { logins: await this.logins.all(session) };
  }

  /** The list alone, for the script. No use of the session: a page that is left open does not keep it alive. */
  @Get('list')
  @Render('logins-list')
  async list(@Session({ touch: false }) session: Session): Promise<object> {
    return { layout: false, logins: await this.logins.all(session) };
  }

  @Sse('changes')
  changes(@Session({ touch: false }) _session: Session): Observable<MessageEvent> {
    return this.live.changes(() => true);
  }

  @Post('end')
  @Redirect()
  async end(@Body() { id }: SessionDto, @Session() session: Session): Promise<SeeOther> {
    if (id === session.id) {
      session.logout();
      return seeOther('/');
    }
    if (await this.registry.end(id, { reason: 'ended-by-admin' }))
      tell(session, 'notice', 'That browser is logged out.');
    else tell(session, 'warning', 'That browser was logged out already.');
    return seeOther('/admin/sessions');
  }
}
