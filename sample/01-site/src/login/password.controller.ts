import { Body, Controller, Get, Post, Redirect } from '@nestjs/common';
import { Principal, RecentLogin, Session, SessionService } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { OwnerOnly } from '../web/owner-only';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { NewPasswordDto } from './login.dto';

/** A change of password, for who has given the present one in the last ten minutes. */
@Controller('account/password')
@RecentLogin('10m')
@OwnerOnly()
export class PasswordController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionService,
  ) {}

  @Get()
  @Page('password', 'Change your password')
  form(): object {
    return {};
  }

  @Post()
  @Redirect()
  async change(
    @Body() { password }: NewPasswordDto,
    @Principal() principal: Principal,
    @Session() session: Session,
  ): Promise<SeeOther> {
    await this.users.changePassword(principal.id, password);
    // After the change: a login that has checked the old password by now is refused, since it says when (`checkedAt`).
    await this.sessions.endAll(principal, { except: 'current', reason: 'password-changed' });
    tell(session, 'notice', 'Your password is changed. You are logged out everywhere else.');
    return seeOther('/account');
  }
}
