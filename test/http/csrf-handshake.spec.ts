import { createServer, request as send, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MemorySessionStore, SessionService, type CsrfOptions } from 'nestjs-tessera';
import { closeApps, startApp } from '../support/app';
import { WatchedStore } from '../support/watched-store';

const HOST = 'chat.example';
const COOKIE = `__Host-session=${'A'.repeat(22)}.${'A'.repeat(43)}`;
const HANDSHAKE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

let server: Server | undefined;

/** A server of sockets beside an application, which asks about the origin of each handshake. */
async function startSockets(csrf: CsrfOptions, store = new WatchedStore(new MemorySessionStore())) {
  const app = await startApp({ platform: 'express', options: { csrf, store } });
  const sessions = app.get(SessionService);
  server = createServer();
  server.on('upgrade', (request, socket) => {
    socket.end(
      sessions.isTrustedOrigin(request)
        ? 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
        : 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return store;
}

/** Asks for a socket, and returns the status of the answer. */
function connect(headers: OutgoingHttpHeaders): Promise<number | undefined> {
  const { port } = server!.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const sent = send({ port, agent: false, headers: { host: HOST, ...HANDSHAKE, ...headers } });
    sent.on('upgrade', ({ statusCode }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the handshake of a socket', () => {
  afterEach(async () => {
    await new Promise((resolve) => server!.close(resolve));
    await closeApps();
  });

  it.each<{ what: string; headers: OutgoingHttpHeaders; status: number }>([
    { what: 'a page of our own', headers: { origin: `https://${HOST}` }, status: 101 },
    { what: 'a trusted page', headers: { origin: 'https://shop.example' }, status: 101 },
    { what: 'a page of another site', headers: { origin: 'https://attacker.example' }, status: 403 },
    { what: 'a page of a sister domain', headers: { origin: 'https://evil.chat.example' }, status: 403 },
    { what: 'a sandboxed page', headers: { origin: 'null' }, status: 403 },
    {
      what: 'a page of another site, by Sec-Fetch-Site',
      headers: { origin: `https://${HOST}`, 'sec-fetch-site': 'cross-site' },
      status: 403,
    },
    {
      what: 'a page of our own behind a proxy that rewrites Host',
      headers: { host: 'inner:3000', origin: `https://${HOST}`, 'sec-fetch-site': 'same-origin' },
      status: 101,
    },
    { what: 'a client that is no browser', headers: {}, status: 101 },
  ])('from $what is answered with $status, without a store call', async ({ headers, status }) => {
    const store = await startSockets({ trustedOrigins: ['https://shop.example'] });
    expect({ status: await connect({ cookie: COOKIE, ...headers }), calls: store.take() }).toEqual({
      status,
      calls: [],
    });
  });

  it('in strict mode is refused with our cookie and no origin', async () => {
    await startSockets({ strict: true });
    expect({
      withCookie: await connect({ cookie: COOKIE }),
      without: await connect({}),
      ofOwnPage: await connect({ cookie: COOKIE, origin: `https://${HOST}` }),
    }).toEqual({ withCookie: 403, without: 101, ofOwnPage: 101 });
  });
});
