import 'reflect-metadata';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import express from 'express';
import fastify from 'fastify';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { MemorySessionStore, Session, SessionModule } from 'nestjs-tessera';
import { DATA } from './memory-stores.mjs';
import { HOUR } from './sessions.mjs';

const peers = createRequire(new URL('../peers/package.json', import.meta.url));
const secret = 'a secret of the bench, longer than 32';

/** Each begins a small session for whoever comes, and gives its `port` and the `size` of its store. */
export const subjects = {
  'nestjs-tessera': async () => {
    class Visits {
      begin(session) {
        for (const [name, value] of Object.entries(DATA)) session.set(name, value);
        return {};
      }
    }
    Controller()(Visits);
    Get()(Visits.prototype, 'begin', Object.getOwnPropertyDescriptor(Visits.prototype, 'begin'));
    Session()(Visits.prototype, 'begin', 0);
    const store = new MemorySessionStore();
    class App {}
    Module({ imports: [SessionModule.forRoot({ store })], controllers: [Visits] })(App);
    const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    return { port: app.getHttpServer().address().port, size: () => store.size };
  },
  'express-session': async () => {
    const session = peers('express-session');
    const store = new session.MemoryStore();
    const app = express();
    app.use(
      session({ store, secret, resave: false, saveUninitialized: false, cookie: { maxAge: HOUR / 2 } }),
    );
    app.get('/', (request, response) => {
      Object.assign(request.session, DATA);
      response.json({});
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: server.address().port, size: () => Object.keys(store.sessions).length };
  },
  '@fastify/session': async () => {
    const plugin = peers('@fastify/session');
    const store = new plugin.MemoryStore();
    const app = fastify();
    await app.register(peers('@fastify/cookie'));
    await app.register(plugin, {
      store,
      secret,
      saveUninitialized: false,
      cookie: { maxAge: HOUR / 2, secure: 'auto' },
    });
    app.get('/', async (request) => {
      for (const [name, value] of Object.entries(DATA)) request.session.set(name, value);
      return {};
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { port: app.server.address().port, size: () => store.store.size };
  },
};
