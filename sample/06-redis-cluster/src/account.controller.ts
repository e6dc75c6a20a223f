import { Body, Controller, Delete, Get, HttpCode, Post, UnauthorizedException } from '@nestjs/common';
import { Principal, Public, Session, SessionRegistry } from 'nestjs-tessera';
import { LoginForm } from './login.form';
import { Users } from './users';

declare module 'nestjs-tessera' {
  interface SessionData {
    visits: number;
  }
}

/** Each answer tells which process has given it. */
@Controller()
export class AccountController {
  constructor(
    private readonly registry: SessionRegistry,
    private readonly users: Users,
  ) {}

  @Public()
  @Post('login')
  async login(@Session() session: Session, @Body() { name, password }: LoginForm): Promise<object> {
    if (!(await this.users.matches(name, password)))
      throw new UnauthorizedException('This name and password do not belong together');
    session.login({ id: name });
    return { name, process: process.pid };
  }

  /** `update` counts right also when several processes do so at once. */
  @Get('me')
  me(@Session() session: Session, @Principal() { id }: Principal): object {
    const visits = session.update('visits', (visits = 0) => visits + 1);
    return { name: id, visits, process: process.pid };
  }

  @Public() // a token that was replaced a moment ago may still log out
  @Post('logout')
  @HttpCode(204)
  logout(@Session() session: Session): void {
    session.logout();
  }

  /** Logs the user out everywhere: no process takes the sessions any more, and all of them close their streams. */
  @Delete('sessions')
  @HttpCode(204)
  async endAll(@Principal() user: Principal): Promise<void> {
    await this.registry.endAll(user);
  }
}
