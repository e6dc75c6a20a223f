import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import { Users, type User } from './users';

const LONGEST = 128;

@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly users: Users) {
    super({ usernameField: 'name' });
  }

  /** Passport takes the fields from the body as they are: a field named twice is an array. */
  async validate(name: unknown, password: unknown): Promise<User | null> {
    if (typeof name !== 'string' || typeof password !== 'string' || password.length > LONGEST) return null;
    return this.users.verify(name, password);
  }
}
