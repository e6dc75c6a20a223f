import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Injectable, UnauthorizedException } from '@nestjs/common';

interface User {
  readonly roles: readonly string[];
  readonly passwordHash: string;
}

/** The argon2id hash of the demonstration's password, which the README tells. */
const passwordHash =
  '$argon2id$v=19$m=19456,t=2,p=1$7ay/KslCNGONNmMrWyV4ZA$TGwOyUw025QD6xM34X1wRJpXr0SelBvQaqJRWu5xi2s';

@Injectable()
export class Users {
  readonly #users = new Map<string, User>([
    ['ada', { roles: ['moderator'], passwordHash }],
    ['bert', { roles: [], passwordHash }],
  ]);
  /** The hash of a password that no user has. */
  readonly #decoy = hash(randomUUID());

  /**
   * Returns the roles of a user.
   * @throws UnauthorizedException, the same for an unknown name and a wrong password
   */
  async verify(name: string, password: string): Promise<readonly string[]> {
    const user = this.#users.get(name);
    // An unknown name takes as long to refuse as a wrong password.
    const matches = await verify(user?.passwordHash ?? (await this.#decoy), password);
    if (!matches || user === undefined)
      throw new UnauthorizedException('This name and password do not belong together');
    return user.roles;
  }
}
