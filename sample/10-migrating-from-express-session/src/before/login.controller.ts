import {
  Controller,
  Injectable,
  Post,
  Redirect,
  Req,
  UseGuards,
  type ExecutionContext,
} from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';

@Injectable()
class LocalGuard extends AuthGuard('local') {
  constructor() {
    super({ keepSessionInfo: true }); // the cart stays
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    await super.canActivate(context);
    const request = context.switchToHttp().getRequest<Request>();
    if (request.user) await super.logIn(request);
    else request.flash('notice', 'This name and password do not belong together.');
    return true;
  }

  override handleRequest<T>(error: unknown, user: T | false | null): T {
    if (error) throw error as Error;
    return (user || null) as T;
  }
}

@Controller()
export class LoginController {
  @UseGuards(LocalGuard)
  @Post('login')
  @Redirect('/', 303)
  login(): void {}

  @Post('logout')
  @Redirect('/', 303)
  async logout(@Req() request: Request): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      request.logout((error) => (error ? reject(error as Error) : resolve()));
    });
  }
}
