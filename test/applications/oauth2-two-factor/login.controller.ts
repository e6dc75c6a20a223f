import {
  Body,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Inject,
  Post,
  Query,
  Redirect,
  UseGuards,
} from '@nestjs/common';
import {
  AuthGuard,
  Principal,
  RequireRoles,
  SESSION_STORE,
  Session,
  SessionService,
  type PrincipalIndexedStore,
} from 'nestjs-tessera';
import { OAuthClient, type Attempt } from './oauth-client';
import { SecondFactor } from './second-factor';

declare module 'nestjs-tessera' {
  interface SessionData {
    attempt: Attempt;
    /** Who has come from the provider, and still owes the second factor. */
    pending: { readonly userId: string; readonly tries: number };
  }
}

const MAX_TRIES = 3;

@Controller()
export class LoginController {
  constructor(
    private readonly sessions: SessionService,
    private readonly client: OAuthClient,
    private readonly factor: SecondFactor,
    @Inject(SESSION_STORE) private readonly store: PrincipalIndexedStore,
  ) {}

  /** passport-oauth2 kept its state under a key of its own in `req.session`. */
  @Get('login')
  @Redirect()
  begin(@Session() session: Session): { url: string } {
    const { attempt, url } = this.client.begin('https://shop.test/callback');
    session.set('attempt', attempt);
    return { url };
  }

  /** `take` gives the attempt to one request, however often the callback is called. */
  @Get('callback')
  @Redirect('/factor')
  async callback(@Query('code') code: string, @Query('state') state: string): Promise<void> {
    const attempt = await this.sessions.take('attempt');
    if (attempt === undefined || attempt.state !== state)
      throw new ForbiddenException('This login was not begun here');
    const userId = await this.client.finish(code, attempt);
    const session = await this.sessions.current();
    session.set('pending', { userId, tries: 0 });
  }

  /** Counts the try, and commits that, before the code is checked: of any number of guesses at once only some are checked. */
  @Post('factor')
  async secondFactor(@Session() session: Session, @Body('code') code: string): Promise<void> {
    if (!session.has('pending')) throw new ForbiddenException('Log in first');
    session.update('pending', (pending) => ({
      userId: '',
      ...pending,
      tries: (pending?.tries ?? MAX_TRIES) + 1,
    }));
    await this.sessions.commit();
    const { userId, tries } = session.get('pending')!;
    if (tries > MAX_TRIES) throw new HttpException('Too many tries', 429);
    if (!this.factor.check(userId, code)) throw new ForbiddenException('Wrong code');
    if ((await this.sessions.take('pending')) === undefined) throw new ForbiddenException('Used already');
    session.login({ id: userId, roles: ['member'] });
  }

  @Get('me')
  @UseGuards(AuthGuard)
  me(@Principal() { id, roles }: Principal): object {
    return { id, roles };
  }

  /** The second factor once more, for what only admins may do. */
  @Post('elevate')
  @UseGuards(AuthGuard)
  elevate(@Session() session: Session, @Principal() { id }: Principal, @Body('code') code: string): void {
    if (!this.factor.check(id, code)) throw new ForbiddenException('Wrong code');
    session.elevate({ roles: ['member', 'admin'] });
  }

  @Get('admin')
  @RequireRoles('admin')
  admin(): string {
    return 'For admins';
  }

  @Post('logout')
  logout(): Promise<void> {
    return this.sessions.logout();
  }

  @Post('logout-everywhere')
  @UseGuards(AuthGuard)
  logoutEverywhere(@Principal() { realm, id }: Principal): Promise<number> {
    return this.store.deleteByPrincipal(`${realm}:${id}`, { signal: AbortSignal.timeout(3000) });
  }
}
