import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module';

async function main(): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter());
  app.enableShutdownHooks();
  await app.listen(Number(process.env['PORT'] ?? 3000), process.env['HOST'] ?? 'localhost');
  console.log(`Log in at ${await app.getUrl()}/login, as the README shows`);
}

void main();
