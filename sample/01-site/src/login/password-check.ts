import { HttpStatus, Injectable } from '@nestjs/common';
import { SessionService } from 'nestjs-tessera';
import type { User } from '../users/user';
import { UsersService } from '../users/users.service';
import { FormException, TooManyAttempts, type FormReport } from '../web/form.exception';
import { LoginThrottle } from './login-throttle';

/** What a password is asked for with, and what to say when it is wrong. */
export interface Claim {
  readonly email: string;
  readonly password: string;
  /** The client's network address. */
  readonly address: string;
  readonly refusal: FormReport;
}

/** A password that was right. */
export interface Verified {
  readonly user: User;
  /** When it was, in epoch milliseconds: for `login`, which refuses it when all sessions of the account were ended since. */
  readonly checkedAt: number;
}

/** Asks for a password, wherever the site does: each form that takes one is another place to guess. */
@Injectable()
export class PasswordCheck {
  constructor(
    private readonly users: UsersService,
    private readonly throttle: LoginThrottle,
    private readonly sessions: SessionService,
  ) {}

  /** @throws FormException when the password is wrong, or was guessed at too often */
  async verify({ email, password, address, refusal }: Claim): Promise<Verified> {
    const wait = this.throttle.attempt(address, email);
    if (wait > 0) throw new TooManyAttempts(wait);
    const checkedAt = this.sessions.now();
    const user = await this.users.verify(email, password);
    if (user === null) throw new FormException(refusal, HttpStatus.UNAUTHORIZED);
    this.throttle.succeeded(address, email);
    return { user, checkedAt };
  }
}
