import { Body, Controller, Get, HttpStatus, Post, Query, Redirect } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { FormException } from '../web/form.exception';
import { localPath, returnQuery } from '../web/local-path';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { enter } from './enter';
import { SignUpDto } from './login.dto';

@Controller('sign-up')
export class SignUpController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @Page('sign-up', 'Sign up')
  async form(@Query('returnTo') returnTo: unknown): Promise<object> {
    return { first: await this.users.isEmpty(), query: returnQuery(returnTo) };
  }

  @Post()
  @Redirect()
  async signUp(
    @Body() { email, name, password }: SignUpDto,
    @Query('returnTo') returnTo: unknown,
    @Session() session: Session,
  ): Promise<SeeOther> {
    const user = await this.users.signUp(email, name, password);
    if (user === null) {
      // It tells that the address has an account. A site that sends mail can say "look into your inbox" to everybody instead.
      const problems = { email: 'This email address has an account already. Log in instead?' };
      throw new FormException({ problems, values: { email, name } }, HttpStatus.CONFLICT);
    }
    enter(session, user, false);
    session.flash(
      'notice',
      user.role === 'admin'
        ? `Welcome, ${name}. Yours is the first account, so you are the administrator.`
        : `Welcome, ${name}. Your account is ready.`,
    );
    return seeOther(localPath(returnTo) ?? '/account');
  }
}
