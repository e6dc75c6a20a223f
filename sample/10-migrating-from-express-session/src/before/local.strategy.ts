import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import { Users, type User } from './users';

@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly users: Users) {
    super({ usernameField: 'name' });
  }

  async validate(name: unknown, password: unknown): Promise<User | null> {
    if (typeof name !== 'string' || typeof password !== 'string') return null;
    return this.users.verify(name, password);
  }
}
