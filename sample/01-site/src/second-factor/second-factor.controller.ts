import { Body, Controller, Get, Ip, Post, Redirect } from '@nestjs/common';
import { Principal, RecentLogin, Session } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { OwnerOnly } from '../web/owner-only';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { addressOf, newSecret } from './authenticator';
import { CodeDto } from './code.dto';
import { qrCode } from './qr-code';
import { SecondFactor } from './second-factor.service';

/** Turns the second factor on and off, for who has given the password in the last ten minutes. */
@Controller('account/second-factor')
@RecentLogin('10m')
@OwnerOnly()
export class SecondFactorController {
  constructor(
    private readonly users: UsersService,
    private readonly secondFactor: SecondFactor,
  ) {}

  /** The secret stays in the session until a code shows that the app has it, however often the page is opened. */
  @Get('on')
  @Page('second-factor-on', 'Turn the second factor on')
  async secret(@Principal() { id }: Principal, @Session() session: Session): Promise<object> {
    const secret = session.update('totpSecret', (known) => known ?? newSecret());
    const address = addressOf(secret, (await this.users.get(id)).email);
    return { secret: secret.match(/.{1,4}/g)!.join(' '), address, picture: qrCode(address) };
  }

  @Post('on')
  @Redirect()
  async turnOn(
    @Body() { otp }: CodeDto,
    @Principal() { id }: Principal,
    @Session() session: Session,
    @Ip() address: string,
  ): Promise<SeeOther> {
    const secret = session.get('totpSecret');
    if (secret === undefined) return seeOther('/account/second-factor/on');
    await this.secondFactor.turnOn({ id, otp, address, secret });
    session.delete('totpSecret');
    session.elevate({ amr: ['otp'], level: 2 });
    tell(session, 'notice', 'From now on a login takes a code too. Where you are logged in, you stay so.');
    return seeOther('/account');
  }

  @Get('off')
  @Page('second-factor-off', 'Turn the second factor off')
  form(): object {
    return {};
  }

  /** Takes a code besides the recent password: who knows the password alone must not be able to do without the code. */
  @Post('off')
  @Redirect()
  async turnOff(
    @Body() { otp }: CodeDto,
    @Principal() { id }: Principal,
    @Session() session: Session,
    @Ip() address: string,
  ): Promise<SeeOther> {
    await this.secondFactor.verify({ id, otp, address });
    await this.secondFactor.turnOff(id);
    tell(session, 'notice', 'From now on a login takes your password alone.');
    return seeOther('/account');
  }
}
