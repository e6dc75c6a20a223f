import { Body, Controller, Get, HttpStatus, Ip, Post, Query, Redirect } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { FormException } from '../web/form.exception';
import { localPath, returnQuery } from '../web/local-path';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { LoginDto } from './login.dto';
import { LoginThrottle } from './login-throttle';
import { enter } from './enter';

/** The form posts to the address it stands at, so that `?returnTo=` needs no hidden field. */
@Controller('login')
export class LoginController {
  constructor(
    private readonly users: UsersService,
    private readonly throttle: LoginThrottle,
  ) {}

  @Get()
  @Page('login', 'Log in')
  form(@Query('returnTo') returnTo: unknown): object {
    return { query: returnQuery(returnTo) };
  }

  @Post()
  @Redirect()
  async login(
    @Body() { email, password, remember }: LoginDto,
    @Query('returnTo') returnTo: unknown,
    @Session() session: Session,
    @Ip() address: string,
  ): Promise<SeeOther> {
    const wait = this.throttle.attempt(address, email);
    if (wait > 0) {
      throw new FormException(
        { message: `Too many attempts. Try again in ${Math.ceil(wait / 60_000)} min.`, values: { email } },
        HttpStatus.TOO_MANY_REQUESTS,
      );
    }
    const user = await this.users.verify(email, password);
    if (user === null) {
      // One sentence for both: whether the address has an account is nobody's business.
      throw new FormException(
        { message: 'This email address and password do not belong together.', values: { email } },
        HttpStatus.UNAUTHORIZED,
      );
    }
    this.throttle.succeeded(address, email);
    enter(session, user, remember);
    session.flash('notice', `Welcome back, ${user.name}.`);
    return seeOther(localPath(returnTo) ?? '/account');
  }
}
