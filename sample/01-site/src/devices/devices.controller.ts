import { Body, Controller, Get, Post, Redirect, UseGuards } from '@nestjs/common';
import { AuthGuard, Principal, Session, SessionRegistry } from 'nestjs-tessera';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { SessionDto } from './session.dto';

/** "Where you are logged in": every session of the account, by its public id, which is no credential. */
@Controller('account/devices')
@UseGuards(AuthGuard)
export class DevicesController {
  constructor(private readonly registry: SessionRegistry) {}

  @Get()
  @Page('devices', 'Where you are logged in')
  async show(@Principal() principal: Principal): Promise<object> {
    const devices = await this.registry.list(principal);
    return { devices, others: devices.length > 1 };
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
