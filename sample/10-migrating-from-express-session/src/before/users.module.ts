import { Module } from '@nestjs/common';
import { Stock } from './stock';
import { Users } from './users';

@Module({ providers: [Users, Stock], exports: [Users, Stock] })
export class UsersModule {}
