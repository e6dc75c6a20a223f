import { Injectable } from '@nestjs/common';

export interface User {
  readonly id: number;
  readonly name: string;
  readonly password: string;
}

/** Plain passwords: an application hashes them. */
@Injectable()
export class Users {
  readonly #users: readonly User[] = [
    { id: 7, name: 'ada', password: 'lovelace' },
    { id: 8, name: 'grace', password: 'hopper' },
  ];

  verify(name: string, password: string): User | null {
    return this.#users.find((user) => user.name === name && user.password === password) ?? null;
  }
}
