import { Controller, Get, Post, Redirect, Req, UseGuards } from '@nestjs/common';
import { Public, Session, SessionService } from 'nestjs-tessera';
import { ExampleGuard, PasswordGuard, type LoginRequest } from './login.guards';
import { html, loginForm, page, tell } from './page';

interface Redirection {
  readonly url: string;
}

@Controller()
export class LoginController {
  constructor(private readonly sessions: SessionService) {}

  @Public()
  @Get('login')
  form(@Session() session: Session): string {
    const body = html`${loginForm('/login')}
      <p><a href="/login/example">Log in with Example</a></p>`;
    return page('Log in', session, body);
  }

  @Public()
  @UseGuards(PasswordGuard)
  @Post('login')
  @Redirect('/', 303)
  login(@Req() request: LoginRequest): Promise<Redirection> {
    return this.#leave(request, 'This name and password do not belong together.');
  }

  /** The guard sends the visitor to the provider. */
  @Public()
  @UseGuards(ExampleGuard)
  @Get('login/example')
  begin(): void {}

  /** The guard exchanges the code that the provider has sent along. */
  @Public()
  @UseGuards(ExampleGuard)
  @Get('login/example/callback')
  @Redirect('/', 303)
  callback(@Req() request: LoginRequest): Promise<Redirection> {
    return this.#leave(request, 'Example did not log you in.');
  }

  /** The request.logout() of Passport does the same, where a guard of @nestjs/passport or passport.session() has run before. */
  @Public() // a token that was replaced a moment ago may still log out
  @Post('logout')
  @Redirect('/login', 303)
  async logout(): Promise<void> {
    await this.sessions.logout();
  }

  async #leave({ user }: LoginRequest, refusal: string): Promise<Redirection> {
    if (user !== null) return { url: await this.sessions.intended('/') };
    tell(await this.sessions.current(), refusal);
    return { url: '/login' };
  }
}
