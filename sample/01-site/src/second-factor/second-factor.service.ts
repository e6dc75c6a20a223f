import { HttpStatus, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Principal } from 'nestjs-tessera';
import { IsNull, LessThan, Repository } from 'typeorm';
import { LoginThrottle } from '../login/login-throttle';
import { User } from '../users/user';
import { FormException, TooManyAttempts } from '../web/form.exception';
import { stepOf } from './authenticator';

/** A code that somebody has typed. */
export interface Code {
  readonly id: Principal['id'];
  readonly otp: string;
  /** The client's network address. */
  readonly address: string;
}

/** One-time codes of an authenticator app, as the second factor of a login. */
@Injectable()
export class SecondFactor {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly throttle: LoginThrottle,
  ) {}

  /**
   * Accepts each code once: of requests that bring it at the same time, the database lets one through.
   * @throws FormException when it is wrong or spent, or codes were guessed too often
   */
  async verify({ id, otp, address }: Code): Promise<void> {
    const secret = await this.#secretOf(id);
    const step = this.#stepOf({ id, otp, address }, secret);
    const { affected } = await this.users.update(
      { id: Number(id), totpSecret: secret, totpUsedStep: LessThan(step) },
      { totpUsedStep: step },
    );
    if (affected !== 1)
      throw new FormException({ problems: { otp: 'This code was used before. Wait for the next one.' } });
    this.throttle.succeeded(address, keyOf(id));
  }

  /**
   * Turns it on with a first code, which shows that the app has the secret.
   * @throws FormException when the code is wrong, or codes were guessed too often
   */
  async turnOn({ secret, ...code }: Code & { readonly secret: string }): Promise<void> {
    const step = this.#stepOf(code, secret);
    const { affected } = await this.users.update(
      { id: Number(code.id), totpUsedStep: IsNull() },
      { totpSecret: secret, totpUsedStep: step },
    );
    if (affected !== 1) throw new FormException({ message: 'Your account has a second factor already.' });
    this.throttle.succeeded(code.address, keyOf(code.id));
  }

  async turnOff(id: Principal['id']): Promise<void> {
    await this.users.update(Number(id), { totpSecret: null, totpUsedStep: null });
  }

  /** Counts the guess before it looks at the code, as those of passwords. */
  #stepOf({ id, otp, address }: Code, secret: string): number {
    const wait = this.throttle.attempt(address, keyOf(id));
    if (wait > 0) throw new TooManyAttempts(wait);
    const step = stepOf(otp, secret, Date.now());
    if (step === null)
      throw new FormException({ problems: { otp: 'This is not the code' } }, HttpStatus.UNAUTHORIZED);
    return step;
  }

  async #secretOf(id: Principal['id']): Promise<string> {
    const user = await this.users.findOneOrFail({
      where: { id: Number(id) },
      select: { id: true, totpSecret: true },
    });
    if (user.totpSecret) return user.totpSecret;
    throw new FormException({ message: 'The second factor was turned off in the meantime. Log in again.' });
  }
}

/** What guesses are counted by. No email address looks like it. */
function keyOf(id: Principal['id']): string {
  return `code of ${id}`;
}
