import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import type { PrincipalInput } from 'nestjs-tessera';

export interface User {
  readonly id: number;
  readonly name: string;
  readonly roles: readonly string[];
  readonly passwordHash: string;
}

/** The argon2id hash of the demonstration's password, which the README tells. */
const DEMO =
  '$argon2id$v=19$m=19456,t=2,p=1$7ay/KslCNGONNmMrWyV4ZA$TGwOyUw025QD6xM34X1wRJpXr0SelBvQaqJRWu5xi2s';

const CUSTOMERS: readonly User[] = [
  { id: 1, name: 'ada', roles: [], passwordHash: DEMO },
  { id: 2, name: 'bert', roles: [], passwordHash: DEMO },
];
const STAFF: readonly User[] = [
  { id: 1, name: 'grace', roles: ['manager'], passwordHash: DEMO },
  { id: 2, name: 'hugo', roles: [], passwordHash: DEMO },
];

/** Two populations, such as two tables, that number their users on their own. */
@Injectable()
export class Users {
  readonly customers = CUSTOMERS;
  readonly staff = STAFF;
  /** The hash of a password that no user has. */
  readonly #decoy = hash(randomUUID());

  /** Returns `null` for an unknown name and for a wrong password alike, and takes as long for both. */
  async verify(users: readonly User[], name: string, password: string): Promise<User | null> {
    const user = users.find((each) => each.name === name);
    const matches = await verify(user?.passwordHash ?? (await this.#decoy), password);
    return matches && user !== undefined ? user : null;
  }
}

/** Who a customer is to the session library. */
export const customerOf = ({ id }: Pick<User, 'id'>): PrincipalInput => ({ id, realm: 'customers' });

/** Who an employee is: `staff:1` is not `customers:1`. */
export const employeeOf = ({ id, roles }: User): PrincipalInput => ({ id, realm: 'staff', roles });
