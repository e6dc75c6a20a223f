import { IoAdapter } from '@nestjs/platform-socket.io';
import { isPrincipalIndexed, SESSION_STORE, SessionService, type SessionStore } from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { io, type Socket } from 'socket.io-client';
import { closeApps, startApp, type App } from '../../support/app';
import { visitor, type Visitor } from '../../support/visitor';
import { ChatModule } from './application';

describe('a chat with socket.io whose guards read the session', () => {
  const clock = manualClock();
  const sockets: Socket[] = [];
  let app: App;
  let ada: Visitor;

  beforeEach(async () => {
    app = await startApp({
      platform: 'express',
      options: { clock },
      imports: [ChatModule],
      configure: (app) => void app.useWebSocketAdapter(new IoAdapter(app)),
    });
    ada = await visitor(app);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await closeApps();
  });

  /** Opens a socket with the cookies that a browser has. */
  async function connect(who: Visitor): Promise<Socket> {
    const url = await app.getUrl();
    const socket = io(url, {
      transports: ['websocket'],
      reconnection: false,
      extraHeaders: { cookie: await who.jar.getCookieString(url.replace('http:', 'https:')) },
    });
    sockets.push(socket);
    return new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(socket));
      socket.once('connect_error', reject);
    });
  }
  const next = (socket: Socket, event: string): Promise<unknown> =>
    new Promise((resolve) => socket.once(event, resolve));
  const logIn = (who: Visitor): Promise<unknown> => who.post('/login', { id: 7 });
  const say = (socket: Socket): Promise<unknown> => socket.timeout(5000).emitWithAck('say', 'Hello');

  it.each([
    ['a visitor without a cookie', async () => {}],
    ['a visitor with a session', (who: Visitor) => who.post('/say')],
    ['a user who has logged out', async (who: Visitor) => void (await logIn(who), await who.post('/logout'))],
  ])('refuses the handshake of %s', async (_who, prepare) => {
    await prepare(ada);
    await expect(connect(ada)).rejects.toThrow('LOGIN_REQUIRED');
  });

  it('L1: refuses the handshake with the token of before the login', async () => {
    await ada.post('/say');
    const before = await ada.twin();
    await logIn(ada);
    await expect(connect(before)).rejects.toThrow('LOGIN_REQUIRED');
    expect(await say(await connect(ada))).toBe(2);
  });

  it('says of the request of a handshake what opens its session', async () => {
    await logIn(ada);
    const upgraded = new Promise<object>((resolve) => app.getHttpServer().once('upgrade', resolve));
    await connect(ada);
    await expect(app.get(SessionService).of(await upgraded)).rejects.toMatchObject({
      code: 'SESSION_REQUEST_MISSING',
      message: expect.stringContaining(
        'handshake of a socket did not: in a gateway, import SessionSocketsModule',
      ),
    });
  });

  it('R2: counts ten messages of two sockets and ten requests at once', async () => {
    await logIn(ada);
    const [here, there] = [await connect(ada), await connect(ada)];
    const ten = Array.from({ length: 10 }, (_, index) => index);
    await Promise.all(ten.flatMap((index) => [say(index % 2 === 0 ? here : there), ada.post('/say')]));
    expect((await ada.get('/sent')).text).toBe('20');
  });

  it('refuses a login over a socket, which no cookie could follow, and stores nothing', async () => {
    await logIn(ada);
    const socket = await connect(ada);
    const outcome: unknown = await socket.timeout(5000).emitWithAck('login');
    expect({ outcome, sent: await say(socket) }).toEqual({ outcome: 'SESSION_TOKEN_UNDELIVERABLE', sent: 1 });
  });

  it('closes the sockets of a session at its logout, and no other', async () => {
    const grace = await visitor(app);
    await logIn(ada);
    await grace.post('/login', { id: 8 });
    const [first, second, other] = [await connect(ada), await connect(ada), await connect(grace)];
    const closed = Promise.all([next(first, 'disconnect'), next(second, 'disconnect')]);
    await ada.post('/logout');
    await closed;
    expect(await say(other)).toBe(1);
  });

  it('closes the sockets of all devices when they are revoked', async () => {
    const phone = await visitor(app);
    await logIn(ada);
    await logIn(phone);
    const closed = Promise.all(
      [await connect(ada), await connect(phone)].map((socket) => next(socket, 'disconnect')),
    );
    await ada.post('/revoke-all');
    await closed;
    await expect(connect(phone)).rejects.toThrow('LOGIN_REQUIRED');
  });

  it('L10: answers no message of a session that another process has ended', async () => {
    await logIn(ada);
    const socket = await connect(ada);
    const store = app.get<SessionStore>(SESSION_STORE);
    if (isPrincipalIndexed(store))
      await store.deleteByPrincipal('default:7', { signal: AbortSignal.timeout(1000) });
    const [refused, closed] = [next(socket, 'exception'), next(socket, 'disconnect')];
    socket.emit('say', 'Hello');
    expect(await refused).toMatchObject({ status: 'error', message: 'LOGIN_REQUIRED' });
    await closed;
  });

  it('E1: counts a message that writes as a use of the session', async () => {
    await logIn(ada);
    const socket = await connect(ada);
    clock.advance('20m');
    await say(socket);
    clock.advance('20m');
    expect(await say(socket)).toBe(2);
    const closed = next(socket, 'disconnect');
    clock.advance('30m');
    socket.emit('say', 'Hello');
    await closed;
  });
});
