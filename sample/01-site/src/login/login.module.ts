import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module';
import { ConfirmController } from './confirm.controller';
import { LoginThrottle } from './login-throttle';
import { LoginController } from './login.controller';
import { LogoutController } from './logout.controller';
import { PasswordCheck } from './password-check';
import { PasswordController } from './password.controller';
import { RememberController } from './remember.controller';
import { SignUpController } from './sign-up.controller';

@Module({
  imports: [UsersModule],
  controllers: [
    LoginController,
    LogoutController,
    SignUpController,
    RememberController,
    ConfirmController,
    PasswordController,
  ],
  providers: [PasswordCheck, { provide: LoginThrottle, useFactory: () => new LoginThrottle() }],
  exports: [LoginThrottle],
})
export class LoginModule {}
