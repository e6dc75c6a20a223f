import { Body, Controller, Get, Ip, Post, Redirect, UseGuards } from '@nestjs/common';
import { AuthGuard, Principal, Session } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { OwnerOnly } from '../web/owner-only';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { enter } from './enter';
import { PasswordDto } from './login.dto';
import { PasswordCheck } from './password-check';

/**
 * "Remember me" for a session that is logged in already. It asks for the password: otherwise whoever finds the browser open, or has
 * copied the cookie, could make a login of hours one of 30 days.
 */
@Controller('account/remember')
@UseGuards(AuthGuard)
@OwnerOnly()
export class RememberController {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: PasswordCheck,
  ) {}

  @Get()
  @Page('remember', 'Remember me')
  form(): object {
    return {};
  }

  @Post()
  @Redirect()
  async remember(
    @Body() { password }: PasswordDto,
    @Principal() principal: Principal,
    @Session() session: Session,
    @Ip() address: string,
  ): Promise<SeeOther> {
    const { email } = await this.users.get(principal.id);
    const refusal = { message: 'This is not your password.' };
    const { user, checkedAt } = await this.passwords.verify({ email, password, address, refusal });
    const { amr, level } = session;
    // The password makes it a login: the 30 days begin now, and the token is a new one.
    enter(session, user, { rememberMe: true, checkedAt, amr, level });
    tell(session, 'notice', 'You stay logged in when this browser is closed.');
    return seeOther('/account');
  }
}
