import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Principal } from 'nestjs-tessera';
import { Repository } from 'typeorm';
import { Passwords } from './passwords';
import { User } from './user';

@Injectable()
export class UsersService {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly passwords: Passwords,
  ) {}

  /**
   * Creates an account, or nothing when the address has one. The caller does not learn which, and the time hardly tells: the password
   * is hashed in both cases. The first account of a fresh database is the administrator's. One statement decides both, so that two
   * people who sign up at once cannot both be first.
   */
  async signUp(email: string, name: string, password: string): Promise<void> {
    const passwordHash = await this.passwords.hash(password);
    await this.users.query(
      `INSERT INTO "users" ("email", "name", "passwordHash", "joinedAt", "role")
       SELECT ?, ?, ?, ?, CASE WHEN EXISTS (SELECT 1 FROM "users") THEN 'member' ELSE 'admin' END
       WHERE true ON CONFLICT ("email") DO NOTHING`,
      [email, name, passwordHash, Date.now()],
    );
  }

  /** Whose address and password these are, or `null`; both take the same time. */
  async verify(email: string, password: string): Promise<User | null> {
    const user = await this.#withHash(email);
    return (await this.passwords.matches(password, user?.passwordHash)) ? user : null;
  }

  async changePassword(id: Principal['id'], password: string): Promise<void> {
    await this.users.update(Number(id), { passwordHash: await this.passwords.hash(password) });
  }

  /** The user of a login. */
  get(id: Principal['id']): Promise<User> {
    return this.users.findOneByOrFail({ id: Number(id) });
  }

  find(id: number): Promise<User | null> {
    return this.users.findOneBy({ id });
  }

  all(): Promise<User[]> {
    return this.users.find({ order: { id: 'ASC' } });
  }

  /** Whether whoever signs up next becomes the administrator. */
  async isEmpty(): Promise<boolean> {
    return !(await this.users.exists());
  }

  #withHash(email: string): Promise<User | null> {
    return this.users.createQueryBuilder('user').addSelect('user.passwordHash').where({ email }).getOne();
  }
}
