import { Body, Controller, Get, HttpCode, Post, UsePipes, ValidationPipe } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { LoginForm } from './login.form';
import { Users } from './users';

/** Logins and logouts are HTTP: a socket cannot carry a new cookie to its browser. */
@UsePipes(new ValidationPipe({ whitelist: true }))
@Controller()
export class LoginController {
  constructor(private readonly users: Users) {}

  @Post('login')
  @HttpCode(204)
  async login(@Session() session: Session, @Body() { name, password }: LoginForm): Promise<void> {
    session.login({ id: name, roles: await this.users.verify(name, password) });
  }

  @Post('logout')
  @HttpCode(204)
  logout(@Session() session: Session): void {
    session.logout();
  }

  /** What the page shows. After the end of a login it is told why. */
  @Get('me')
  me(@Session() { principal, endedBecause }: Session): object {
    return {
      name: principal?.id ?? null,
      isModerator: principal?.roles.includes('moderator') ?? false,
      endedBecause,
    };
  }
}
