import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';

/** The argon2id hash of the demonstration's password, which the README tells. */
const DEMO =
  '$argon2id$v=19$m=19456,t=2,p=1$7ay/KslCNGONNmMrWyV4ZA$TGwOyUw025QD6xM34X1wRJpXr0SelBvQaqJRWu5xi2s';

@Injectable()
export class Users {
  readonly #hashes = new Map([
    ['ada', DEMO],
    ['bert', DEMO],
  ]);
  /** The hash of a password that no user has, so that an unknown name takes as long to refuse as a wrong password. */
  readonly #decoy = hash(randomUUID());

  async matches(name: string, password: string): Promise<boolean> {
    return verify(this.#hashes.get(name) ?? (await this.#decoy), password);
  }
}
