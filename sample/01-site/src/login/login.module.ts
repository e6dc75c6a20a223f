import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module';
import { LoginThrottle } from './login-throttle';
import { LoginController } from './login.controller';
import { LogoutController } from './logout.controller';
import { PasswordCheck } from './password-check';
import { RememberController } from './remember.controller';
import { SignUpController } from './sign-up.controller';

@Module({
  imports: [UsersModule],
  controllers: [LoginController, LogoutController, SignUpController, RememberController],
  providers: [PasswordCheck, { provide: LoginThrottle, useFactory: () => new LoginThrottle() }],
})
export class LoginModule {}
