import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Injectable, UnauthorizedException } from '@nestjs/common';

/** The argon2id hash of the demonstration's password, which the README tells. */
const DEMO =
  '$argon2id$v=19$m=19456,t=2,p=1$7ay/KslCNGONNmMrWyV4ZA$TGwOyUw025QD6xM34X1wRJpXr0SelBvQaqJRWu5xi2s';

/** Two users, in the memory of this process. */
@Injectable()
export class Users {
  readonly #hashes = new Map([
    ['ada', DEMO],
    ['bert', DEMO],
  ]);
  /** The hash of a password that no user has. */
  readonly #decoy = hash(randomUUID());

  /** @throws UnauthorizedException, the same for an unknown name and a wrong password */
  async verify(name: string, password: string): Promise<void> {
    // An unknown name takes as long to refuse as a wrong password.
    const matches = await verify(this.#hashes.get(name) ?? (await this.#decoy), password);
    if (!matches) throw new UnauthorizedException('This name and password do not belong together');
  }

  async changePassword(name: string, password: string): Promise<void> {
    this.#hashes.set(name, await hash(password));
  }
}
