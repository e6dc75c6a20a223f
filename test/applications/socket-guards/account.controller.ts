import {
  Body,
  Controller,
  Get,
  Inject,
  Injectable,
  Post,
  UseGuards,
  type OnModuleInit,
} from '@nestjs/common';
import {
  AuthGuard,
  Principal,
  SESSION_STORE,
  Session,
  SessionEvents,
  SessionService,
  type PrincipalIndexedStore,
} from 'nestjs-tessera';
import { ChatGateway } from './chat.gateway';

/** Closes the sockets of a session that has ended in this process. */
@Injectable()
export class SocketCloser implements OnModuleInit {
  constructor(
    private readonly events: SessionEvents,
    private readonly chat: ChatGateway,
  ) {}

  onModuleInit(): void {
    this.events.subscribe(({ type, id }) => {
      if (type === 'destroyed' || type === 'expired') this.chat.close(`session ${id}`);
    });
  }
}

@Controller()
export class AccountController {
  constructor(
    private readonly sessions: SessionService,
    @Inject(SESSION_STORE) private readonly store: PrincipalIndexedStore,
    private readonly chat: ChatGateway,
  ) {}

  @Post('login')
  login(@Session() session: Session, @Body('id') id: number): void {
    session.login({ id });
  }

  @Post('logout')
  logout(): Promise<void> {
    return this.sessions.logout();
  }

  @Get('sent')
  sent(@Session('sent') sent = 0): number {
    return sent;
  }

  @Post('say')
  sayOverHttp(@Session() session: Session): void {
    session.update('sent', (sent = 0) => sent + 1);
  }

  /** Ends the sessions of a user's devices, and then their sockets. */
  @Post('revoke-all')
  @UseGuards(AuthGuard)
  async revokeAll(@Principal() { realm, id }: Principal): Promise<void> {
    await this.store.deleteByPrincipal(`${realm}:${id}`, { signal: AbortSignal.timeout(3000) });
    this.chat.close(`user ${id}`);
  }
}
