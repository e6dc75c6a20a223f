import {
  Body,
  Controller,
  Get,
  Post,
  Redirect,
  Render,
  Sse,
  UseGuards,
  type MessageEvent,
} from '@nestjs/common';
import { AuthGuard, Principal, Session, SessionRegistry } from 'nestjs-tessera';
import type { Observable } from 'rxjs';
import { LivePage } from '../live/live-page.decorator';
import { Live } from '../live/live.service';
import { OwnerOnly } from '../web/owner-only';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { SessionDto } from './session.dto';

/** "Where you are logged in": every session of the account, live, by its public id, which is no credential. */
@Controller('account/devices')
@UseGuards(AuthGuard)
@OwnerOnly()
export class DevicesController {
  constructor(
    private readonly registry: SessionRegistry,
    private readonly live: Live,
  ) {}

  @Get()
  @LivePage('devices', 'Where you are logged in')
  async show(@Principal() principal: Principal): Promise<object> {
    return { devices: await this.registry.list(principal) };
  }

  /** The list alone, for the script. No use of the session: a page that is left open does not keep it alive. */
  @Get('list')
  @Render('devices-list')
  async list(
    @Principal() principal: Principal,
    @Session({ touch: false }) _session: Session,
  ): Promise<object> {
    return { layout: false, devices: await this.registry.list(principal) };
  }

  @Sse('changes')
  changes(
    @Principal() { realm, id }: Principal,
    @Session({ touch: false }) _session: Session,
  ): Observable<MessageEvent> {
    return this.live.changes(({ principal }) => principal === `${realm}:${id}`);
  }

  /** The principal makes it their own sessions alone: with the id of another account's session this finds nothing. */
  @Post('end')
  @Redirect()
  async end(
    @Body() { id }: SessionDto,
    @Principal() principal: Principal,
    @Session() session: Session,
  ): Promise<SeeOther> {
    if (id === session.id) {
      session.logout();
      return seeOther('/');
    }
    const hasEnded = await this.registry.end(id, { principal, reason: 'revoked' });
    if (hasEnded) tell(session, 'notice', 'That browser is logged out.');
    else tell(session, 'warning', 'That browser was logged out already.');
    return seeOther('/account/devices');
  }

  @Post('end-others')
  @Redirect()
  async endOthers(@Session() session: Session): Promise<SeeOther> {
    await this.registry.endOthers({ reason: 'revoked' });
    tell(session, 'notice', 'You are logged in here and nowhere else.');
    return seeOther('/account/devices');
  }
}
