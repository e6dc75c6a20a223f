import { Body, Controller, Get, Ip, Post, Redirect, UseGuards } from '@nestjs/common';
import { AuthGuard, Principal, Session, SessionService } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { OwnerOnly } from '../web/owner-only';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { PasswordDto } from './login.dto';
import { PasswordCheck } from './password-check';

/** Asks for the password again. `@RecentLogin()` leads here from what must not be done at a browser that was left open, and back. */
@Controller('account/confirm')
@UseGuards(AuthGuard)
@OwnerOnly()
export class ConfirmController {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: PasswordCheck,
    private readonly sessions: SessionService,
  ) {}

  @Get()
  @Page('confirm', 'Is it you?')
  form(): object {
    return {};
  }

  @Post()
  @Redirect()
  async confirm(
    @Body() { password }: PasswordDto,
    @Principal() principal: Principal,
    @Session() session: Session,
    @Ip() address: string,
  ): Promise<SeeOther> {
    const { email } = await this.users.get(principal.id);
    const refusal = { message: 'This is not your password.' };
    await this.passwords.verify({ email, password, address, refusal });
    session.elevate({ amr: ['pwd'] });
    return seeOther(await this.sessions.intended('/account'));
  }
}
