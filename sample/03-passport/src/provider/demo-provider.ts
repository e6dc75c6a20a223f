import { randomUUID } from 'node:crypto';
import { Module, type INestApplication, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthorizationController } from './authorization.controller';
import { CLIENT, Grants, type Client } from './grants';

/**
 * An authorization server of OAuth 2, an application of its own, for demonstration only: it asks no one for a password, and so it listens on the
 * loopback address alone.
 */
export class DemoProvider implements OnModuleDestroy {
  private constructor(
    private readonly app: INestApplication,
    readonly client: Client,
    readonly url: string,
  ) {}

  static async start(): Promise<DemoProvider> {
    const client: Client = { id: 'passport-sample', secret: randomUUID() };

    @Module({
      controllers: [AuthorizationController],
      providers: [Grants, { provide: CLIENT, useValue: client }],
    })
    class DemoProviderModule {}

    const app = await NestFactory.create(DemoProviderModule, { logger: ['error'] });
    await app.listen(0, '127.0.0.1');
    return new DemoProvider(app, client, await app.getUrl());
  }

  onModuleDestroy(): Promise<void> {
    return this.app.close();
  }
}
