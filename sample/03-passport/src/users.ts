import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';

export interface User {
  readonly id: string;
  readonly name: string;
}

interface StoredUser extends User {
  /** `null` for a user who logs in at the provider only. */
  readonly passwordHash: string | null;
  /** Ids of the user at providers, such as `example:4711`. */
  readonly accounts: readonly string[];
}

/** The argon2id hash of the demonstration's password, which the README tells. */
const DEMO =
  '$argon2id$v=19$m=19456,t=2,p=1$7ay/KslCNGONNmMrWyV4ZA$TGwOyUw025QD6xM34X1wRJpXr0SelBvQaqJRWu5xi2s';

/** In the memory of this process. A real application has a table of users, and one of their accounts at providers. */
@Injectable()
export class Users {
  readonly #users: StoredUser[] = [
    { id: '1', name: 'ada', passwordHash: DEMO, accounts: ['example:4711'] },
    { id: '2', name: 'bert', passwordHash: DEMO, accounts: [] },
  ];
  /** The hash of a password that no user has. */
  readonly #decoy = hash(randomUUID());

  find(id: string): User | null {
    return this.#users.find((user) => user.id === id) ?? null;
  }

  /** Returns `null` for an unknown name and for a wrong password alike, and takes as long for both. */
  async verify(name: string, password: string): Promise<User | null> {
    const user = this.#users.find((each) => each.name === name);
    const matches = await verify(user?.passwordHash ?? (await this.#decoy), password);
    return matches && user !== undefined ? user : null;
  }

  /**
   * Returns the user of an account at a provider, who is new at the first login. A user is never found by name or by e-mail address: at another
   * provider they may belong to another person.
   */
  ofAccount(provider: string, accountId: string, name: string): User {
    const account = `${provider}:${accountId}`;
    const known = this.#users.find(({ accounts }) => accounts.includes(account));
    if (known !== undefined) return known;
    const user = { id: String(this.#users.length + 1), name, passwordHash: null, accounts: [account] };
    this.#users.push(user);
    return user;
  }
}
