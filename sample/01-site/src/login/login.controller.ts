import { Body, Controller, Get, Ip, Post, Query, Redirect } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { localPath, returnQuery } from '../web/local-path';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { enter } from './enter';
import { LoginDto } from './login.dto';
import { PasswordCheck } from './password-check';

/** The form posts to the address it stands at, so that `?returnTo=` needs no hidden field. */
@Controller('login')
export class LoginController {
  constructor(private readonly passwords: PasswordCheck) {}

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
    // One sentence for both: whether the address has an account is nobody's business.
    const message = 'This email address and password do not belong together.';
    const refusal = { message, values: { email } };
    const user = await this.passwords.verify({ email, password, address, refusal });
    enter(session, user, remember);
    tell(session, 'notice', `Welcome, ${user.name}.`);
    return seeOther(localPath(returnTo) ?? '/account');
  }
}
