// An application whose one handler is at work until SIGTERM has come, and which prints what happens in order.
import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { MemorySessionStore, Session, SessionModule, type SessionRecord } from 'nestjs-tessera';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const terminated = new Promise((resolve) => process.once('SIGTERM', resolve)).then(() => print('SIGTERM'));

class PrintingStore extends MemorySessionStore {
  override async insert(record: SessionRecord): Promise<void> {
    print('insert begins');
    await pause(30);
    await super.insert(record);
    print('insert ends');
  }
  override async sweep(now: number, limit: number): Promise<number> {
    print('sweep begins');
    await pause(5);
    print('sweep ends');
    return super.sweep(now, limit);
  }
  async close(): Promise<void> {
    print(`close with ${this.size}`);
    await pause(30);
    print('closed');
  }
}

@Controller()
class SlowController {
  @Post() async slow(@Session() session: Session) {
    print('handling');
    await terminated;
    await pause(50);
    session.login({ id: 7 });
    return { principal: session.principal };
  }
}

@Module({
  imports: [SessionModule.forRoot({ store: new PrintingStore(), sweepEvery: 1 })],
  controllers: [SlowController],
})
class SlowModule {}

async function main(): Promise<void> {
  const app =
    process.argv[2] === 'fastify'
      ? await NestFactory.create(SlowModule, new FastifyAdapter(), { logger: false })
      : await NestFactory.create(SlowModule, { logger: false });
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  print(await app.getUrl());
}

void main();
