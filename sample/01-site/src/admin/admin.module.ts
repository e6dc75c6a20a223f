import { Module } from '@nestjs/common';
import { LiveModule } from '../live/live.module';
import { UsersModule } from '../users/users.module';
import { AdminController } from './admin.controller';
import { Logins } from './logins';
import { LoginsController } from './logins.controller';

@Module({
  imports: [UsersModule, LiveModule],
  controllers: [AdminController, LoginsController],
  providers: [Logins],
})
export class AdminModule {}
