import type { AddressInfo } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { actingAs } from 'nestjs-tessera/testing';
import type { Page } from 'playwright-core';
import { io, type Socket } from 'socket.io-client';
import { describeWithChromium, type Browser } from '../../../test/support/browser';
import { AppModule } from '../src/app.module';
import { servePages } from '../src/pages';

const PASSWORD = 'correct horse battery staple';
/** Within a second is the promise; the rest is for a busy machine. In milliseconds. */
const PATIENCE = 2_000;

let app: NestExpressApplication;
let url: string;

beforeAll(async () => {
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = module.createNestApplication<NestExpressApplication>({ logger: false, forceCloseConnections: true });
  servePages(app);
  await app.listen(0, '127.0.0.1');
  url = `http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`;
});

afterAll(() => app.close());

describeWithChromium('two people in the chat, each with a browser', (open) => {
  let browsers: Browser[];

  beforeAll(async () => {
    browsers = await Promise.all([open(url), open(url)]);
  }, 60_000);

  afterEach(() => Promise.all(browsers.map(({ page }) => page.context().clearCookies())));
  afterAll(() => Promise.all(browsers.map((browser) => browser.close())));

  it('hear each other, until a moderator removes one of them', async () => {
    const [ada, bert] = browsers.map(({ page }) => page) as [Page, Page];
    await logIn(ada, 'ada');
    await logIn(bert, 'bert');
    await say(bert, 'Salve!');
    await ada.getByText('bert: Salve!').waitFor();
    await say(ada, 'Vale!');
    await bert.getByText('ada: Vale!').waitFor();

    const begun = performance.now();
    await ada.getByRole('listitem').filter({ hasText: 'Salve!' }).getByRole('button').click();
    await bert.getByRole('status').getByText('Your login has ended: removed by a moderator').waitFor();
    const milliseconds = performance.now() - begun;

    await say(ada, 'Quiet now.');
    await ada.getByText('ada: Quiet now.').waitFor();
    expect({
      inTime: milliseconds < PATIENCE ? 'in time' : `after ${milliseconds} ms`,
      heardAfterwards: await bert.getByText('Quiet now.').count(),
      mayLogInAgain: await bert.getByRole('button', { name: 'Log in' }).isVisible(),
      complaints: browsers.map(({ complaints }) => complaints),
    }).toEqual({
      inTime: 'in time',
      heardAfterwards: 0,
      mayLogInAgain: true,
      complaints: [[], []],
    });
  });

  it('are told of a wrong password, and of a logout', async () => {
    const { page } = browsers[0]!;
    await logIn(page, 'ada', 'guesswork');
    await page.getByRole('status').getByText('do not belong together').waitFor();
    await logIn(page, 'ada');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    expect(await browsers[0]!.cookies()).toEqual([]);
  });
});

describe('the gateway of the chat', () => {
  const sockets: Socket[] = [];

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect();
  });

  const connect = async (name: string | null, headers: Record<string, string> = {}): Promise<Socket> => {
    const cookie = name === null ? '' : (await actingAs(app, { id: name })).headers['cookie']!;
    const socket = io(url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: { cookie, ...headers },
    });
    sockets.push(socket);
    return socket;
  };
  const once = (socket: Socket, event: string): Promise<unknown> =>
    new Promise((resolve) => socket.once(event, resolve));

  it('disconnects who is not logged in', async () => {
    const visitor = await connect(null);
    expect(await once(visitor, 'disconnect')).toBe('io server disconnect');
  });

  it('refuses the handshake of another site’s page', async () => {
    const socket = await connect('ada', { origin: 'https://evil.example' });
    expect(await once(socket, 'connect_error')).toBeInstanceOf(Error);
  });

  it('says what a message was refused for', async () => {
    const ada = await connect('ada');
    await once(ada, 'joined');
    const refused = once(ada, 'exception');
    ada.emit('say', { text: 'no text' });
    expect(await refused).toMatchObject({ message: 'Say something, in at most 500 characters' });
  });

  it('refuses a logout that another site’s page sends', async () => {
    const { headers: ada } = await actingAs(app, { id: 'ada' });
    const headers = { ...ada, origin: 'https://evil.example' };
    const { status } = await fetch(`${url}/logout`, { method: 'POST', headers });
    const me = await fetch(`${url}/me`, { headers: ada });
    const { name } = (await me.json()) as { name: string | null };
    expect({ status, name }).toEqual({ status: 403, name: 'ada' });
  });

  it('lets no one remove others but a moderator', async () => {
    const remove = async (roles: string[]) => {
      const { headers } = await actingAs(app, { id: 'bert', roles });
      const response = await fetch(`${url}/members/ada`, { method: 'DELETE', headers });
      return response.status;
    };
    expect({ asMember: await remove([]), asModerator: await remove(['moderator']) }).toEqual({
      asMember: 403,
      asModerator: 204,
    });
  });
});

async function logIn(page: Page, name: string, password = PASSWORD): Promise<void> {
  await page.goto('/');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  if (password === PASSWORD) await page.getByText(`You are ${name}`).waitFor();
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message').fill(text);
  await page.getByRole('button', { name: 'Say' }).click();
}
