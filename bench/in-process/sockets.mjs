// A gateway of ws in a process of its own, asked with and without sockets.
import { EventEmitter } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Session, SessionManager, SessionModule } from 'nestjs-tessera';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import { answer, given } from './answer.mjs';

const CLIENTS = 10;
const { subject } = given();

class BareGateway {
  #visits = 1;

  untouched() {
    return { event: 'done', data: 'dark' };
  }

  read() {
    return { event: 'done', data: 'dark' };
  }

  write() {
    return { event: 'done', data: ++this.#visits };
  }
}

class SessionGateway {
  untouched() {
    return { event: 'done', data: 'dark' };
  }

  read(theme) {
    return { event: 'done', data: theme };
  }

  write(session) {
    return { event: 'done', data: session.update('visits', (visits) => visits + 1) };
  }
}

/** Keeps the servers that it creates. */
class KeepingAdapter extends WsAdapter {
  create(port, options) {
    this.server = super.create(port, options);
    return this.server;
  }
}

/** A client of ws in this process: it is given messages, and keeps its answers. */
class Client extends EventEmitter {
  readyState = 1;

  addEventListener(name, listener) {
    this.on(name, listener);
  }

  removeEventListener(name, listener) {
    this.off(name, listener);
  }

  ask(text) {
    return new Promise((resolve) => {
      this.send = resolve;
      this.emit('message', { data: text });
    });
  }
}

const gateway = subject === 'bare' ? BareGateway : SessionGateway;
WebSocketGateway()(gateway);
if (subject !== 'bare') {
  Session('theme')(gateway.prototype, 'read', 0);
  Session()(gateway.prototype, 'write', 0);
}
for (const name of ['untouched', 'read', 'write'])
  SubscribeMessage(name)(gateway.prototype, name, Object.getOwnPropertyDescriptor(gateway.prototype, name));
class GatewayModule {}
Module({
  imports: subject === 'bare' ? [] : [SessionModule.forRoot(), SessionSocketsModule],
  providers: [gateway],
})(GatewayModule);

const app = await NestFactory.create(GatewayModule, { logger: false });
const adapter = new KeepingAdapter(app);
app.useWebSocketAdapter(adapter);
await app.listen(0, '127.0.0.1');

const cookies = [];
const clients = [];
for (let i = 0; i < CLIENTS; i++) {
  cookies.push(subject === 'bare' ? '' : await beginSession());
  const request = new IncomingMessage({ remoteAddress: '127.0.0.1' });
  request.headers = { host: 'localhost', cookie: cookies[i] };
  const client = new Client();
  adapter.server.emit('connection', client, request);
  clients.push(client);
}

answer({
  /** Where it listens, and what each client has for a cookie. */
  about: async () => ({ port: app.getHttpServer().address().port, cookies }),
  cpu: async () => cpu(),
  /** CPU time of a message, in microseconds. */
  measure: async ({ message, count }) => {
    const text = JSON.stringify({ event: message, data: null });
    let left = count;
    const begun = cpu();
    await Promise.all(
      clients.map(async (client) => {
        while (left-- > 0) check(message, await client.ask(text));
      }),
    );
    return (cpu() - begun) / count;
  },
});

function check(message, text) {
  const { event, data } = JSON.parse(text);
  const isRight = message === 'write' ? data > 1 : data === 'dark';
  if (event !== 'done' || !isRight) throw new Error(`${message} was answered with ${text}`);
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function beginSession() {
  const manager = app.get(SessionManager);
  const session = await manager.open(null);
  session.set('theme', 'dark');
  session.set('visits', 1);
  session.set('profile', { name: 'Ada Lovelace', note: 'x'.repeat(120) });
  session.login({ id: 'ada' });
  return `__Host-session=${(await manager.commit(session)).token}`;
}
