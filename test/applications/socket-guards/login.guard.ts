import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { SocketSessions } from './socket-sessions';

/** Lets the messages of logged-in users through, and closes the socket of another. */
@Injectable()
export class LoginGuard implements CanActivate {
  constructor(private readonly sessions: SocketSessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const socket = context.switchToWs().getClient<Socket>();
    const { principal } = await this.sessions.of(socket);
    if (principal !== null) return true;
    setImmediate(() => socket.disconnect(true)); // after the exception has been sent
    throw new WsException('LOGIN_REQUIRED');
  }
}
