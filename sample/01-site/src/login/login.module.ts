import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module';
import { LoginThrottle } from './login-throttle';
import { LoginController } from './login.controller';
import { LogoutController } from './logout.controller';
import { SignUpController } from './sign-up.controller';

@Module({
  imports: [UsersModule],
  controllers: [LoginController, LogoutController, SignUpController],
  providers: [LoginThrottle],
})
export class LoginModule {}
