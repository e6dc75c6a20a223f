import {
  Body,
  Controller,
  ForbiddenException,
  Get,
  HttpCode,
  Inject,
  Post,
  Query,
  Redirect,
  UseGuards,
} from '@nestjs/common';
import {
  AuthGuard,
  Principal,
  SESSION_STORE,
  Session,
  SessionManager,
  SessionService,
  type PrincipalIndexedStore,
  type SessionStore,
} from 'nestjs-tessera';
import { OpenIdClient, type Flow } from './openid-client';

declare module 'nestjs-tessera' {
  interface SessionData {
    flow: Flow;
    notes: string[];
  }

  interface SessionConstants {
    /** The id of the user's session at the provider. */
    sid: string;
    /** For the provider's logout page. */
    idToken: string;
  }
}

@Controller()
export class LoginController {
  constructor(
    private readonly sessions: SessionService,
    private readonly manager: SessionManager,
    private readonly provider: OpenIdClient,
    @Inject(SESSION_STORE) private readonly store: SessionStore & PrincipalIndexedStore,
  ) {}

  @Get('login')
  @Redirect()
  begin(@Session() session: Session, @Query('returnTo') returnTo = '/me'): { url: string } {
    const { flow, url } = this.provider.begin(returnTo);
    session.set('flow', flow);
    return { url };
  }

  @Get('callback')
  @Redirect()
  async callback(@Query('code') code: string, @Query('state') state: string): Promise<{ url: string }> {
    const flow = await this.sessions.take('flow');
    if (flow === undefined || flow.state !== state)
      throw new ForbiddenException('This login was not begun here');
    const { sub, sid, idToken } = await this.provider.finish(code, flow);
    await this.sessions.login({ id: sub }, { constants: { sid, idToken } });
    return { url: flow.returnTo };
  }

  @Get('me')
  @UseGuards(AuthGuard)
  me(@Principal() { id }: Principal): object {
    return { id };
  }

  @Post('notes')
  @UseGuards(AuthGuard)
  note(@Session() session: Session, @Body('note') note: string): string[] {
    return session.update('notes', (notes = []) => [...notes, note]);
  }

  /** Polled by each page, to warn of the end. It must not keep the session alive. */
  @Get('time-left')
  timeLeft(@Session({ touch: false }) session: Session): number {
    return session.principal === null ? 0 : session.expiresAt - this.manager.settings.clock();
  }

  @Post('logout')
  @Redirect()
  logout(@Session() session: Session): { url: string; statusCode: 303 } {
    const idToken = session.constant('idToken');
    session.logout();
    return { url: idToken === undefined ? '/' : this.provider.logoutUrl(idToken), statusCode: 303 };
  }

  /** Called by the provider: it ends our sessions of one of its sessions, or all of a user's. */
  @Post('backchannel-logout')
  @HttpCode(200)
  async backchannelLogout(@Body('logout_token') logoutToken: string): Promise<void> {
    const { sub, sid } = await this.provider.endedBy(logoutToken);
    const call = { signal: AbortSignal.timeout(3000) };
    if (sid === null) return void (await this.store.deleteByPrincipal(`default:${sub}`, call));
    const records = await this.store.findByPrincipal(`default:${sub}`, call);
    const ended = records.filter((record) => this.manager.read(record).constants.sid === sid);
    await Promise.all(ended.map(({ id }) => this.store.delete(id, call)));
  }
}
