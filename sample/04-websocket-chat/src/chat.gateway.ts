import { UseGuards } from '@nestjs/common';
import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import { AuthGuard, Principal, SessionService } from 'nestjs-tessera';
import type { Server, Socket } from 'socket.io';

/** Sockets that are logged in. The library closes each when its login ends, and socket.io then takes it out. */
const MEMBERS = 'members';
const LONGEST = 500;

/** Without long polling, which several processes behind one address could not share. */
@WebSocketGateway({ transports: ['websocket'] })
export class ChatGateway implements OnGatewayConnection {
  @WebSocketServer()
  private readonly server!: Server;

  constructor(private readonly sessions: SessionService) {}

  /** The session is that of the cookie in the handshake. */
  async handleConnection(client: Socket): Promise<void> {
    const { principal } = await this.sessions.current();
    if (principal === null) return void client.disconnect();
    await client.join(MEMBERS);
    client.emit('joined');
  }

  @UseGuards(AuthGuard)
  @SubscribeMessage('say')
  say(@MessageBody() text: unknown, @Principal() { id }: Principal): void {
    if (typeof text !== 'string' || text.trim() === '' || text.length > LONGEST)
      throw new WsException(`Say something, in at most ${LONGEST} characters`);
    this.server.to(MEMBERS).emit('said', { name: id, text });
  }
}
