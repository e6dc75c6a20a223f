import { Module } from '@nestjs/common';
import { AccountController, SocketCloser } from './account.controller';
import { ChatGateway } from './chat.gateway';
import { SocketSessions } from './socket-sessions';

/** A chat over socket.io whose users log in over HTTP. */
@Module({ controllers: [AccountController], providers: [ChatGateway, SocketCloser, SocketSessions] })
export class ChatModule {}
