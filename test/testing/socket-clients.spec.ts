import type { IncomingMessage } from 'node:http';
import { UseGuards } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Context, GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { createClient } from 'graphql-ws';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import {
  AuthGuard,
  Principal,
  bearer,
  type LoggedInPrincipal,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { actingAs } from 'nestjs-tessera/testing';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import { closeApps, platforms, startApp, type App } from '../support/app';

const ADA = { id: 7 };

@WebSocketGateway()
class MembersGateway {
  @UseGuards(AuthGuard)
  @SubscribeMessage('who')
  who(@Principal() { id }: LoggedInPrincipal): object {
    return { event: 'done', data: id };
  }
}

/** Subscriptions have their own tests: this shows what a client of graphql-ws sends. */
@Resolver()
class HandshakeResolver {
  @Query(() => [String])
  handshake(@Context() context: { req: { extra: { request: IncomingMessage } } }): string[] {
    const { cookie, authorization } = context.req.extra.request.headers;
    return [cookie ?? '', authorization ?? ''];
  }
}

const transports: readonly [name: string, options: SessionModuleOptions][] = [
  ['a cookie, of which strict mode wants the origin', { csrf: { strict: true } }],
  ['a bearer token', { transport: bearer() }],
];

afterEach(closeApps);

describe.each(platforms)('a client of actingAs on %s', (platform) => {
  describe.each(transports)('with %s', (_, options) => {
    const gateway = (Adapter: typeof IoAdapter | typeof WsAdapter): Promise<App> =>
      startApp({
        ...{ platform, options, imports: [SessionSocketsModule], providers: [MembersGateway] },
        configure: (app) => void app.useWebSocketAdapter(new Adapter(app)),
      });

    it('connects through socket.io-client', async () => {
      const app = await gateway(IoAdapter);
      const { headers } = await actingAs(app, ADA);
      const socket = io(await app.getUrl(), { extraHeaders: headers, forceNew: true, reconnection: false });
      const done = new Promise((resolve, reject) =>
        socket.once('done', resolve).once('connect_error', reject),
      );
      socket.emit('who');
      expect(await done.finally(() => socket.close())).toBe('7');
    });

    it('connects through ws, and through clients that take a class of it', async () => {
      const app = await gateway(WsAdapter);
      const ada = await actingAs(app, ADA);
      const url = (await app.getUrl()).replace('http:', 'ws:');
      const who = (socket: WebSocket): Promise<unknown> =>
        new Promise((resolve, reject) =>
          socket
            .once('open', () => socket.send('{"event":"who"}'))
            .once('message', (frame: Buffer) => resolve(JSON.parse(frame.toString())))
            .once('error', reject),
        ).finally(() => socket.close());
      const WithHeaders = ada.webSocket(WebSocket);
      const own = { headers: { 'x-own': 'yes' } };
      const done = { event: 'done', data: '7' };
      const sent: unknown[] = [];
      app.getHttpServer().on('upgrade', ({ headers }: IncomingMessage) => void sent.push(headers['x-own']));
      expect({
        headers: await who(new WebSocket(url, { headers: ada.headers })),
        class: await who(new WithHeaders(url)),
        withOptions: await who(new WithHeaders(url, own)),
        withProtocols: await who(new WithHeaders(url, [], own)),
        sent,
      }).toEqual({
        ...{ headers: done, class: done, withOptions: done, withProtocols: done },
        sent: [undefined, undefined, 'yes', 'yes'],
      });
    });

    it('connects through graphql-ws', async () => {
      const app = await startApp({
        ...{ platform, options, providers: [HandshakeResolver] },
        imports: [
          GraphQLModule.forRoot<ApolloDriverConfig>({
            ...{ driver: ApolloDriver, autoSchemaFile: true, subscriptions: { 'graphql-ws': true } },
          }),
        ],
      });
      const ada = await actingAs(app, ADA);
      const url = `${(await app.getUrl()).replace('http:', 'ws:')}/graphql`;
      const client = createClient({ url, webSocketImpl: ada.webSocket(WebSocket), retryAttempts: 0 });
      const { value } = (await client.iterate({ query: '{ handshake }' }).next()) as IteratorResult<unknown>;
      await client.dispose();
      const { cookie = '', authorization = '' } = ada.headers;
      expect(value).toEqual({ data: { handshake: [cookie, authorization] } });
    });
  });

  it('connects through socket.io-client with its token in auth', async () => {
    const app = await startApp({
      ...{ platform, options: { transport: bearer() } },
      ...{ imports: [SessionSocketsModule], providers: [MembersGateway] },
      configure: (app) => void app.useWebSocketAdapter(new IoAdapter(app)),
    });
    const { token } = await actingAs(app, ADA);
    const socket = io(await app.getUrl(), { auth: { token }, forceNew: true, reconnection: false });
    const done = new Promise((resolve, reject) => socket.once('done', resolve).once('connect_error', reject));
    socket.emit('who');
    expect(await done.finally(() => socket.close())).toBe('7');
  });
});
