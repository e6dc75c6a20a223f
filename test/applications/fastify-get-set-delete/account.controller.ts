import { Body, Controller, Get, Inject, Post, UseGuards } from '@nestjs/common';
import { AuthGuard, Principal, SESSION_STORE, Session, type PrincipalIndexedStore } from 'nestjs-tessera';

@Controller()
export class AccountController {
  constructor(@Inject(SESSION_STORE) private readonly store: PrincipalIndexedStore) {}

  /** Once `await request.session.regenerate(['language'])` and `request.session.set('user', …)`. */
  @Post('login')
  login(@Session() session: Session, @Body('id') id: number): void {
    session.login({ id });
    session.flash('notice', 'You are logged in.');
  }

  @Get('me')
  @UseGuards(AuthGuard)
  me(@Session() session: Session, @Principal() { id }: Principal): object {
    return { id, notices: session.messages('notice') };
  }

  /** Once `await request.session.destroy()`. */
  @Post('logout')
  logout(@Session() session: Session): void {
    session.destroy();
  }

  @Post('logout-everywhere')
  @UseGuards(AuthGuard)
  async logoutEverywhere(@Principal() { realm, id }: Principal): Promise<void> {
    await this.store.deleteByPrincipal(`${realm}:${id}`, { signal: AbortSignal.timeout(3000) });
  }
}
