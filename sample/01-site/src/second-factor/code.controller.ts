import { Body, Controller, Get, Ip, Post, Redirect } from '@nestjs/common';
import { RequirePending, Session, SessionService } from 'nestjs-tessera';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { CodeDto } from './code.dto';
import { SecondFactor } from './second-factor.service';

/** The second half of a login: the password was right, and no guard takes the session for logged in until the code is. */
@Controller('login/code')
@RequirePending()
export class CodeController {
  constructor(
    private readonly secondFactor: SecondFactor,
    private readonly sessions: SessionService,
  ) {}

  @Get()
  @Page('code', 'Enter your code')
  form(): object {
    return {};
  }

  @Post()
  @Redirect()
  async enter(
    @Body() { otp }: CodeDto,
    @Session() session: Session,
    @Ip() address: string,
  ): Promise<SeeOther> {
    await this.secondFactor.verify({ id: session.pending!.id, otp, address });
    session.elevate({ amr: ['otp'], level: 2 });
    tell(session, 'notice', `Welcome, ${session.constant('name')}.`);
    return seeOther(await this.sessions.intended('/account'));
  }
}
