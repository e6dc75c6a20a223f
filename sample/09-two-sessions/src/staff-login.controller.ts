import { Body, Controller, Get, Post, Redirect } from '@nestjs/common';
import { InjectSessions, Session, SessionService } from 'nestjs-tessera';
import { LoginForm } from './forms';
import { loginForm, page, tell } from './page';
import { Users, employeeOf } from './users';

@Controller('staff')
export class StaffLoginController {
  constructor(
    @InjectSessions('staff') private readonly sessions: SessionService,
    private readonly users: Users,
  ) {}

  @Get('login')
  form(@Session({ name: 'staff' }) session: Session): string {
    return page('Log in as staff', session, loginForm('/staff/login'));
  }

  @Post('login')
  @Redirect()
  async login(
    @Session({ name: 'staff' }) session: Session,
    @Body() { name, password }: LoginForm,
  ): Promise<{ url: string; statusCode: number }> {
    const employee = await this.users.verify(this.users.staff, name, password);
    if (employee === null) {
      tell(session, 'This name and password do not belong together.');
      return { url: '/staff/login', statusCode: 303 };
    }
    session.login(employeeOf(employee), { constants: { name } });
    return { url: await this.sessions.intended('/staff'), statusCode: 303 };
  }

  @Post('logout')
  @Redirect('/', 303)
  async logout(): Promise<void> {
    await this.sessions.logout();
  }
}
