import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { Principal, Public, SessionService } from 'nestjs-tessera';
import { ConfirmForm, LoginForm } from './forms';
import { Users } from './users';

@Controller()
export class LoginController {
  constructor(
    private readonly sessions: SessionService,
    private readonly users: Users,
  ) {}

  @Public()
  @Post('login')
  @HttpCode(200)
  async login(@Body() { name, password }: LoginForm): Promise<{ token: string | null }> {
    const checkedAt = this.sessions.now(); // before the password is checked: see AccountController.changePassword
    await this.users.verify(name, password);
    await this.sessions.login({ id: name }, { checkedAt });
    return { token: await this.sessions.issueToken() };
  }

  /** For the form that the app shows after RECENT_LOGIN_REQUIRED. The new token is in `X-Session-Token`. */
  @Post('confirm')
  @HttpCode(204)
  async confirm(@Principal() { id }: Principal, @Body() { password }: ConfirmForm): Promise<void> {
    await this.users.verify(id, password);
    await this.sessions.elevate();
  }

  @Public() // a token that was replaced a moment ago may still log out
  @Post('logout')
  @HttpCode(204)
  async logout(): Promise<void> {
    await this.sessions.logout();
  }
}
