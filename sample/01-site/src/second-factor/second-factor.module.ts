import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LoginModule } from '../login/login.module';
import { User } from '../users/user';
import { UsersModule } from '../users/users.module';
import { CodeController } from './code.controller';
import { SecondFactorController } from './second-factor.controller';
import { SecondFactor } from './second-factor.service';

@Module({
  imports: [UsersModule, LoginModule, TypeOrmModule.forFeature([User])],
  controllers: [CodeController, SecondFactorController],
  providers: [SecondFactor],
})
export class SecondFactorModule {}
