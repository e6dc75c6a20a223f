import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';

export interface User {
  readonly id: string;
  readonly name: string;
}

/** The argon2id hash of the demonstration's password, which the README tells. */
const DEMO =
  '$argon2id$v=19$m=19456,t=2,p=1$7ay/KslCNGONNmMrWyV4ZA$TGwOyUw025QD6xM34X1wRJpXr0SelBvQaqJRWu5xi2s';

@Injectable()
export class Users {
  readonly #users: readonly User[] = [
    { id: '1', name: 'ada' },
    { id: '2', name: 'bert' },
  ];
  /** The hash of a password that no user has. */
  readonly #decoy = hash(randomUUID());

  find(id: string): User | null {
    return this.#users.find((user) => user.id === id) ?? null;
  }

  /** Returns `null` for an unknown name and for a wrong password alike, and takes as long for both. */
  async verify(name: string, password: string): Promise<User | null> {
    const user = this.#users.find((each) => each.name === name);
    const matches = await verify(user === undefined ? await this.#decoy : DEMO, password);
    return matches && user !== undefined ? user : null;
  }
}
