import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SessionService } from 'nestjs-tessera';
import { AccountController } from './account.controller';
import { PreferencesController } from './preferences.controller';

/** A shop on Fastify: once @fastify/session, with `request.session.get`, `.set` and `.destroy()`. */
@Module({ controllers: [PreferencesController, AccountController] })
export class ShopModule {}

/** What main.ts does: hooks and routes of Fastify itself, beside Nest's, which use the session of their request. */
export function configure(app: NestFastifyApplication): void {
  const sessions = app.get(SessionService);
  const fastify = app.getHttpAdapter().getInstance();

  // Once: fastify.addHook('preHandler', async (request) => request.session.set('lastPath', request.url))
  fastify.addHook('preHandler', async (request) => {
    if (request.method !== 'POST') return;
    (await sessions.of(request)).set('lastForm', request.url);
  });

  fastify.get('/plain', async (request, reply) => {
    const session = await sessions.of(request);
    return reply.send({
      language: session.get('language') ?? 'en',
      lastForm: session.get('lastForm') ?? null,
    });
  });
}
