import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication, Type } from '@nestjs/common';
import type { CorsOptions } from '@nestjs/common/interfaces/external/cors-options.interface';
import ts from 'typescript';
import { describeWithChromium, type Browser } from '../support/browser';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor, type Answer } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

const guide = new Markdown('docs/csrf.md');

class Users {
  async verify() {
    return { id: 7, roles: ['admin'] };
  }
}
class LoginForm {}

/** The API of the guide, for a page of this origin. */
async function startApi(platform: (typeof platforms)[number], origin: string): Promise<App> {
  const application = { Users, LoginForm, process: { env: { APP_ORIGIN: origin } } };
  const { ApiModule, cors } = exportsOf<{ ApiModule: Type; cors: CorsOptions }>(
    guide,
    'class ApiModule',
    application,
  );
  return startApp({
    platform,
    options: false,
    imports: [ApiModule],
    configure: (app: INestApplication) => void app.enableCors(cors),
  });
}

describe.each(platforms)('the API of docs/csrf.md for a page of another origin, on %s', (platform) => {
  const PAGE = 'https://app.example.com';
  /** What a browser says of a page. */
  const from = (origin: string, site = 'same-site') => ({
    headers: { origin, 'sec-fetch-site': site, 'sec-fetch-mode': 'cors' },
  });
  const corsOf = ({ status, headers }: Answer): object => ({
    status,
    origin: headers.get('access-control-allow-origin'),
    credentials: headers.get('access-control-allow-credentials'),
  });
  const allowed = { origin: PAGE, credentials: 'true' };

  afterEach(closeApps);

  it('logs a user of the page in and out by the cookie, and lets the page read refusals', async () => {
    const ada = await visitor(await startApi(platform, PAGE));
    const login = await ada.post('/login', { email: 'ada@example.com' }, from(PAGE));
    const me = await ada.get('/me', from(PAGE));
    const logout = await ada.post('/logout', {}, from(PAGE));
    const after = await ada.get('/me', from(PAGE));
    expect({
      login: corsOf(login),
      cookie: login.cookies[0]!.replace(/=[^;]+/, ''),
      me: me.json(),
      logout: corsOf(logout),
      after: { ...corsOf(after), code: after.json<{ code: string }>().code },
    }).toEqual({
      login: { status: 201, ...allowed },
      cookie: '__Host-session; Path=/; HttpOnly; Secure; SameSite=Lax',
      me: { id: '7', realm: 'default', roles: ['admin'] },
      logout: { status: 201, ...allowed },
      after: { status: 401, ...allowed, code: 'LOGIN_REQUIRED' },
    });
  });

  it.each([
    { page: 'of a sister domain', origin: 'https://blog.example.com', site: 'same-site' },
    { page: 'of another site', origin: 'https://attacker.test', site: 'cross-site' },
    { page: 'in a sandbox', origin: 'null', site: 'cross-site' },
  ])('refuses a page $page that has the cookie', async ({ origin, site }) => {
    const ada = await visitor(await startApi(platform, PAGE));
    await ada.post('/login', {}, from(PAGE));
    const { status, text } = await ada.post('/logout', {}, from(origin, site));
    expect({ status, text, me: (await ada.get('/me', from(PAGE))).status }).toEqual({
      status: 403,
      text: expect.stringContaining('"code":"CSRF_REFUSED"'),
      me: 200,
    });
  });

  it.each(['POST', 'DELETE'])('answers the preflight of %s', async (method) => {
    const ada = await visitor(await startApi(platform, PAGE));
    const asked = {
      'access-control-request-method': method,
      'access-control-request-headers': 'content-type,x-csrf-token',
    };
    const answer = await ada.request('OPTIONS', '/me', { headers: { ...from(PAGE).headers, ...asked } });
    expect({
      ...corsOf(answer),
      methods: answer.headers.get('access-control-allow-methods'),
      headers: answer.headers.get('access-control-allow-headers'),
    }).toEqual({
      status: 204,
      ...allowed,
      methods: expect.stringContaining(method),
      headers: expect.stringContaining('x-csrf-token'),
    });
  });
});

describe('the client of docs/csrf.md, without a browser', () => {
  interface Answered {
    readonly status: number;
    readonly body: object;
  }
  const refusal = (code: string, status = 401, more = {}): Answered => ({ status, body: { code, ...more } });
  const done: Answered = { status: 200, body: { done: true } };

  /** Sends a POST to a server that gives these answers, and returns what was sent and shown. */
  async function ask(answers: Answered[], isProved = true): Promise<object> {
    const [sent, shown]: string[][] = [[], []];
    const fetchOf = async (path: string, init: { method: string; headers: Record<string, string> }) => {
      sent!.push(`${init.method} ${path} ${init.headers['x-csrf-token'] ?? ''}`.trim());
      const { status, body } = answers.shift()!;
      return { status, ok: status === 200, json: async () => body };
    };
    const screens = {
      login: (why = '') => void shown!.push(`login ${why}`.trim()),
      code: async () => (shown!.push('code'), isProved),
      password: async () => (shown!.push('password'), isProved),
      forbidden: (code: string) => void shown!.push(code),
    };
    const { clientOf } = exportsOf<{
      clientOf(
        api: string,
        on: object,
        tokenPath: string,
      ): (method: string, path: string) => Promise<unknown>;
    }>(guide, 'function clientOf', { fetch: fetchOf });
    const result = await clientOf('', screens, '/csrf')('POST', '/pay').catch(String);
    return { sent, shown, result };
  }

  it.each([
    { code: 'LOGIN_PENDING', shown: ['code'] },
    { code: 'LEVEL_REQUIRED', shown: ['code'] },
    { code: 'RECENT_LOGIN_REQUIRED', shown: ['password'] },
    { code: 'SESSION_LOCKED', shown: ['password'] },
  ])('repeats a request after the proof that $code asks for', async ({ code, shown }) => {
    expect(await ask([refusal(code), done])).toEqual({
      sent: ['POST /pay', 'POST /pay'],
      shown,
      result: { done: true },
    });
  });

  it('repeats none when the user gives up', async () => {
    expect(await ask([refusal('LEVEL_REQUIRED')], false)).toEqual({
      sent: ['POST /pay'],
      shown: ['code'],
      result: 'Error: 401 LEVEL_REQUIRED',
    });
  });

  it('gets a CSRF token after a refusal, and gives up after a second one', async () => {
    const token: Answered = { status: 200, body: { token: 'abc' } };
    const refused = refusal('CSRF_REFUSED', 403);
    const sent = ['POST /pay', 'GET /csrf', 'POST /pay abc'];
    expect({ once: await ask([refused, token, done]), twice: await ask([refused, token, refused]) }).toEqual({
      once: { sent, shown: [], result: { done: true } },
      twice: { sent, shown: ['CSRF_REFUSED'], result: 'Error: 403 CSRF_REFUSED' },
    });
  });

  it.each([
    { code: 'LOGIN_REQUIRED', more: { endedBecause: 'revoked' }, shown: ['login revoked'] },
    { code: 'LOGIN_REQUIRED', more: {}, shown: ['login'] },
    { code: 'SESSION_LOGIN_OUTDATED', more: {}, shown: ['login'] },
  ])('shows the login after $code $more', async ({ code, more, shown }) => {
    expect(await ask([refusal(code, 401, more)])).toMatchObject({ sent: ['POST /pay'], shown });
  });
});

describeWithChromium('the client of docs/csrf.md', (open) => {
  let browser: Browser | undefined;
  const servers: Server[] = [];

  /** A page of an origin of its own, with the client of the guide. */
  async function servePage(): Promise<string> {
    const { code } = guide.snippets('ts').find((snippet) => snippet.code.includes('function clientOf'))!;
    const script = ts.transpile(code, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 });
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<script type="module">${script}; window.clientOf = clientOf;</script>`);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://localhost:${(server.address() as AddressInfo).port}`;
  }

  /** Runs the client in the page that is open, and returns what each request gave, or why it failed. */
  const requests = (api: string, calls: [string, string, object?][]): Promise<unknown[]> =>
    browser!.page.evaluate(
      async ([base, list]) => {
        const shown: string[] = [];
        const screens = {
          login: () => shown.push('login'),
          code: async () => shown.push('code') > 0,
          password: async () => shown.push('password') > 0,
          forbidden: (code: string) => shown.push(code),
        };
        const { clientOf } = globalThis as unknown as {
          clientOf: (at: string, on: object) => (...call: unknown[]) => Promise<unknown>;
        };
        const client = clientOf(base, screens);
        const results: unknown[] = [];
        for (const call of list) results.push(await client(...call).catch((error) => String(error)));
        return [...results, shown];
      },
      [api, calls] as const,
    );

  afterEach(async () => {
    await browser?.close();
    servers.forEach((server) => server.close());
    servers.length = 0;
    await closeApps();
  });

  it.each(platforms)(
    'logs in across origins of one site, and another origin cannot, on %s',
    async (platform) => {
      const page = await servePage();
      const stranger = await servePage();
      const app = await startApi(platform, page);
      const api = `http://localhost:${new URL(await app.getUrl()).port}`;
      browser = await open(page);
      await browser.page.goto(page);
      const calls: [string, string, object?][] = [
        ['GET', '/me'],
        ['POST', '/login', { email: 'ada@example.com', password: 'lovelace' }],
        ['GET', '/me'],
      ];
      const allowed = await requests(api, calls);
      await browser.page.goto(stranger);
      const refused = await requests(api, [['POST', '/logout', {}]]);
      // A form needs no preflight, so it reaches the server, with the cookie.
      const form = await browser.page.evaluate(async (url) => {
        const { type } = await fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' });
        return type;
      }, `${api}/logout`);
      await browser.page.goto(page);
      const afterwards = await requests(api, [
        ['GET', '/me'],
        ['POST', '/logout'],
        ['GET', '/me'],
      ]);
      const me = { id: '7', realm: 'default', roles: ['admin'] };
      expect({ allowed, refused, form, afterwards }).toEqual({
        allowed: ['Error: 401 LOGIN_REQUIRED', { loggedIn: true }, me, ['login']],
        refused: ['TypeError: Failed to fetch', []],
        form: 'opaque',
        afterwards: [me, { loggedIn: false }, 'Error: 401 LOGIN_REQUIRED', ['login']],
      });
    },
  );
});
