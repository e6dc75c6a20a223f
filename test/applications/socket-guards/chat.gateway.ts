import { UseGuards } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayInit,
} from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { LoginGuard } from './login.guard';
import { SocketSessions } from './socket-sessions';

declare module 'nestjs-tessera' {
  interface SessionData {
    sent: number;
  }
}

@UseGuards(LoginGuard)
@WebSocketGateway({ transports: ['websocket'] })
export class ChatGateway implements OnGatewayInit<Server> {
  @WebSocketServer() private readonly server!: Server;

  constructor(private readonly sessions: SocketSessions) {}

  /** Refuses handshakes without a login. Guards do not run for them. */
  afterInit(server: Server): void {
    server.use((socket, next) => {
      void this.#enter(socket).then(() => next(), next);
    });
  }

  @SubscribeMessage('say')
  async say(@ConnectedSocket() socket: Socket, @MessageBody() text: string): Promise<number> {
    const session = await this.sessions.of(socket);
    session.update('sent', (sent = 0) => sent + 1);
    await this.sessions.save(session);
    this.server.emit('said', text);
    return session.get('sent')!;
  }

  /** A login over a socket cannot work: its new cookie would reach no browser. */
  @SubscribeMessage('login')
  async login(@ConnectedSocket() socket: Socket): Promise<string> {
    const session = await this.sessions.of(socket);
    session.login({ id: 1, roles: ['admin'] });
    return this.sessions.save(session).then(
      () => 'logged in',
      ({ code }: { readonly code: string }) => code,
    );
  }

  /** Closes the sockets of a user's sessions, or of one of them. */
  close(room: string): void {
    this.server.in(room).disconnectSockets(true);
  }

  async #enter(socket: Socket): Promise<void> {
    const { id, principal } = await this.sessions.of(socket);
    if (principal === null) throw new Error('LOGIN_REQUIRED');
    await socket.join([`session ${id}`, `user ${principal.id}`]);
  }
}
