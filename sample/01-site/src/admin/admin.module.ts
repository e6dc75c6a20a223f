import { Module } from '@nestjs/common';
import { LiveModule } from '../live/live.module';
import { UsersModule } from '../users/users.module';
import { ActingController } from './acting.controller';
import { AdminController } from './admin.controller';
import { Logins } from './logins';
import { LoginsController } from './logins.controller';

@Module({
  imports: [UsersModule, LiveModule],
  controllers: [AdminController, LoginsController, ActingController],
  providers: [Logins],
})
export class AdminModule {}
