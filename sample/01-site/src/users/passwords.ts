import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';

/** argon2id with 19 MiB, two passes, one lane: what OWASP recommends and what the package does by default. */
@Injectable()
export class Passwords {
  /** Nobody's password, so that an unknown address takes as long to refuse as a wrong password. */
  readonly #decoy = hash(crypto.randomUUID());

  hash(password: string): Promise<string> {
    return hash(password);
  }

  async matches(password: string, passwordHash: string | undefined): Promise<boolean> {
    const matches = await verify(passwordHash ?? (await this.#decoy), password);
    return matches && passwordHash !== undefined;
  }
}
