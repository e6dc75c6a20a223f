import { Body, Controller, Get, Inject, Post, Redirect, Render, Req, UseGuards } from '@nestjs/common';
import {
  AuthGuard,
  Principal,
  SESSION_STORE,
  Session,
  SessionService,
  type PrincipalIndexedStore,
  type SessionStore,
} from 'nestjs-tessera';
import { LocalGuard } from './passport';
import type { User } from './users';

declare module 'nestjs-tessera' {
  interface SessionData {
    shelf: string[];
    returnTo: string;
  }

  interface SessionConstants {
    userName: string;
  }
}

const home = (): MethodDecorator => Redirect('/', 303);

@Controller()
export class ShelfController {
  constructor(
    private readonly sessions: SessionService,
    @Inject(SESSION_STORE) private readonly store: SessionStore & PrincipalIndexedStore,
  ) {}

  @Get()
  @Render('home')
  home(@Session() session: Session): object {
    return { ...this.#page(session), shelf: session.get('shelf') };
  }

  @Post('shelf')
  @home()
  put(@Session() session: Session, @Body('title') title: string): void {
    session.update('shelf', (shelf = []) => [...shelf, title]);
  }

  @Get('login')
  @Render('login')
  form(@Session() session: Session): object {
    return this.#page(session);
  }

  /** `request.logIn(user)` of Passport was here, and `request.session.returnTo`, which Passport 0.6 lost at login. */
  @Post('login')
  @UseGuards(LocalGuard)
  @Redirect()
  login(
    @Session() session: Session,
    @Req() { user }: { readonly user: User },
  ): { url: string; statusCode: 303 } {
    session.login({ id: user.id }, { constants: { userName: user.name } });
    session.flash('notice', `Welcome, ${user.name}.`);
    return { url: session.pop('returnTo') ?? '/', statusCode: 303 };
  }

  @Get('account')
  @UseGuards(AuthGuard)
  account(@Principal() { id }: Principal): string {
    return `Account ${id}`;
  }

  @Post('logout')
  @home()
  logout(@Session() session: Session): void {
    session.logout();
    session.flash('notice', 'Goodbye.');
  }

  /** A new password: ends the sessions on all other devices, and gives this one a new token. */
  @Post('password')
  @UseGuards(AuthGuard)
  @home()
  async changePassword(@Session() session: Session, @Principal() { id, realm }: Principal): Promise<void> {
    const call = { signal: AbortSignal.timeout(3000) };
    for (const other of await this.store.findByPrincipal(`${realm}:${id}`, call))
      if (other.id !== session.id) await this.store.delete(other.id, call);
    session.login({ id, realm });
    session.flash('notice', 'Your other devices are logged out.');
  }

  #page(session: Session): object {
    return { name: session.constant('userName'), messages: session.messages() };
  }
}
