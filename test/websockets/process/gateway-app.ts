// A process with a gateway of ws: gateway-app.ts <Place as JSON>. Prints its address, and ends when its input does.
import 'reflect-metadata';
import { once } from 'node:events';
import { Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { AuthGuard, Principal, SessionModule, type LoggedInPrincipal } from 'nestjs-tessera';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import { openPlace, type Place } from '../../concurrency/process/place';

interface Frame {
  readonly event: string;
  readonly data: unknown;
}

@WebSocketGateway()
class Gateway {
  @UseGuards(AuthGuard)
  @SubscribeMessage('who')
  who(@Principal() { id }: LoggedInPrincipal): Frame {
    return { event: 'done', data: id };
  }

  /** What is in use after a garbage collection, in bytes. */
  @SubscribeMessage('memory')
  memory(): Frame {
    global.gc!();
    return { event: 'done', data: process.memoryUsage().heapUsed };
  }
}

async function main(): Promise<void> {
  const { store, close } = await openPlace(JSON.parse(process.argv[2]!) as Place);

  @Module({
    imports: [SessionModule.forRoot({ store, storeTimeout: '10s' }), SessionSocketsModule],
    providers: [Gateway],
  })
  class AppModule {}

  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
    logger: ['error'],
    forceCloseConnections: true,
  });
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(0, '127.0.0.1');
  process.stdout.write(`${await app.getUrl()}\n`);
  await once(process.stdin.resume(), 'close');
  await app.close();
  await close();
}

void main();
