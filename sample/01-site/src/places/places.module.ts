import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module';
import { AccountController } from './account.controller';
import { HomeController } from './home.controller';
import { MembersController } from './members.controller';

@Module({
  imports: [UsersModule],
  controllers: [HomeController, MembersController, AccountController],
})
export class PlacesModule {}
