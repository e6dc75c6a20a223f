import {
  ForbiddenException,
  Injectable,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { SessionService } from 'nestjs-tessera';

@Injectable()
class OwnerGuard implements CanActivate {
  constructor(private readonly sessions: SessionService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { actor } = await this.sessions.of(context);
    if (actor === null) return true;
    throw new ForbiddenException('Only the owner of the account can do this, and you are acting as them');
  }
}

/** For what an administrator who acts as a member must not do: passwords, second factors, and the member's other browsers. */
export function OwnerOnly(): ClassDecorator & MethodDecorator {
  return UseGuards(OwnerGuard);
}
