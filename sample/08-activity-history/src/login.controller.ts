import { Body, Controller, Get, Post, Redirect } from '@nestjs/common';
import { Session, SessionService } from 'nestjs-tessera';
import { LoginForm } from './login.form';
import { html, page, tell } from './page';
import { Users } from './users';

@Controller()
export class LoginController {
  constructor(
    private readonly sessions: SessionService,
    private readonly users: Users,
  ) {}

  @Get('login')
  form(@Session() session: Session): string {
    return page(
      'Log in',
      session,
      html`<form method="post">
        <label>Name <input name="name" required autocomplete="username" /></label>
        <label
          >Password <input name="password" type="password" required autocomplete="current-password"
        /></label>
        <button>Log in</button>
      </form>`,
    );
  }

  /** What was seen before the login stays in the session. */
  @Post('login')
  @Redirect()
  async login(
    @Session() session: Session,
    @Body() { name, password }: LoginForm,
  ): Promise<{ url: string; statusCode: number }> {
    if (!(await this.users.matches(name, password))) {
      tell(session, 'This name and password do not belong together.');
      return { url: '/login', statusCode: 303 };
    }
    session.login({ id: name });
    return { url: await this.sessions.intended('/'), statusCode: 303 };
  }

  /** Ends the session with its history. */
  @Post('logout')
  @Redirect('/', 303)
  logout(@Session() session: Session): void {
    session.logout();
  }
}
