import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { CsrfGuard, SessionModule } from 'nestjs-tessera';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import { ChatGateway } from './chat.gateway';
import { LoginController } from './login.controller';
import { MembersController } from './members.controller';
import { Users } from './users';

@Module({
  imports: [SessionModule.forRoot({ lifetime: '12h', idleTimeout: '30m' }), SessionSocketsModule],
  controllers: [LoginController, MembersController],
  providers: [ChatGateway, Users, { provide: APP_GUARD, useClass: CsrfGuard }],
})
export class AppModule {}
