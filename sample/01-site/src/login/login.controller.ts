import { Body, Controller, Get, Ip, Post, Redirect } from '@nestjs/common';
import { Session, SessionService } from 'nestjs-tessera';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { enter } from './enter';
import { LoginDto } from './login.dto';
import { PasswordCheck } from './password-check';

/** After the login, a page that was refused before is next: the session remembers which. */
@Controller('login')
export class LoginController {
  constructor(
    private readonly passwords: PasswordCheck,
    private readonly sessions: SessionService,
  ) {}

  @Get()
  @Page('login', 'Log in')
  form(): object {
    return {};
  }

  @Post()
  @Redirect()
  async login(
    @Body() { email, password, remember }: LoginDto,
    @Session() session: Session,
    @Ip() address: string,
  ): Promise<SeeOther> {
    // One sentence for both: whether the address has an account is nobody's business.
    const refusal = { message: 'This email address and password do not belong together.' };
    const { user, checkedAt } = await this.passwords.verify({ email, password, address, refusal });
    const pending = user.hasSecondFactor;
    enter(session, user, { rememberMe: remember, checkedAt, amr: ['pwd'], pending });
    // Until the code is right, the session is logged in to nothing.
    if (pending) return seeOther('/login/code');
    tell(session, 'notice', `Welcome, ${user.name}.`);
    return seeOther(await this.sessions.intended('/account'));
  }
}
