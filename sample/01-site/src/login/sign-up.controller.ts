import { Body, Controller, Get, Ip, Post, Redirect } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { TooManyAttempts } from '../web/form.exception';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { SignUpDto } from './login.dto';
import { networkOf } from './network-of';
import { Throttle } from './throttle';

/** For one address. A sign-up costs a password hash, and a login after it tells whether the email address was new. */
const LIMIT = { attempts: 20, window: 60 * 60 * 1000 };

@Controller('sign-up')
export class SignUpController {
  readonly #throttle = new Throttle(LIMIT);

  constructor(private readonly users: UsersService) {}

  @Get()
  @Page('sign-up', 'Sign up')
  async form(): Promise<object> {
    return { first: await this.users.isEmpty() };
  }

  /**
   * Answers alike whether the email address is new or has an account, and therefore does not log in. A site that sends mail says
   * "look into your inbox" in both cases, and the rest in the mail.
   */
  @Post()
  @Redirect()
  async signUp(
    @Body() { email, name, password }: SignUpDto,
    @Session() session: Session,
    @Ip() address: string,
  ): Promise<SeeOther> {
    const wait = this.#throttle.attempt(networkOf(address));
    if (wait > 0) throw new TooManyAttempts(wait);
    await this.users.signUp(email, name, password);
    tell(
      session,
      'notice',
      'If this email address is new here, your account is ready: log in. If it had one before, that is unchanged: log in with its password.',
    );
    session.flashInput({ email });
    return seeOther('/login');
  }
}
