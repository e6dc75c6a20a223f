import { CONNECTIONS, load } from './load.mjs';

/**
 * What a subject is asked. Each connection has a session of its own, so that no two requests work on one at once; a subject that
 * keeps none gets the same requests, cookies included.
 */
export const ROUTES = [
  { name: 'untouched', path: '/untouched', hasCookie: false, issues: false, body: '{"hello":"world"}' },
  { name: 'read', path: '/read', hasCookie: true, issues: false, body: '{"theme":"dark"}' },
  { name: 'write', path: '/write', hasCookie: true, issues: false, body: /^\{"visits":[1-9]\d*\}$/ },
  { name: 'first write', path: '/first-write', hasCookie: false, issues: true, body: '{"visits":1}' },
];

/** A route of one running subject, ready to be asked. */
export class Visit {
  #cookies;
  #total = 0;

  constructor(server, route) {
    this.server = server;
    this.route = route;
  }

  /** Begins the sessions that the route finds. */
  async prepare() {
    if (!this.route.hasCookie) return;
    this.#cookies = this.server.keepsSessions
      ? await Promise.all(Array.from({ length: CONNECTIONS }, () => begin(this.server)))
      : Array.from(
          { length: CONNECTIONS },
          (_, i) => `__Host-session=${'b'.repeat(22)}.${'s'.repeat(42)}${i}`,
        );
  }

  /** So many requests, every answer checked; resolves to the server's CPU time in microseconds a request. */
  async measure(requests) {
    const { server, route } = this;
    const before = await server.cpu();
    await load(server.url + route.path, {
      requests,
      cookies: this.#cookies,
      checkHead: (status, cookies) => checkHead(status, cookies, route.issues && server.keepsSessions),
      checkBody: (body) => checkBody(body, route.body),
    });
    const cpu = (await server.cpu()) - before;
    this.#total += requests;
    return cpu / requests;
  }

  /** After all: no write was lost. */
  async verify() {
    if (this.route.name !== 'write' || !this.server.keepsSessions) return;
    const answers = await Promise.all(
      this.#cookies.map((cookie) => get(this.server, this.route.path, cookie)),
    );
    const counted = (await Promise.all(answers.map((answer) => answer.json()))).map(
      ({ visits }) => visits - 1,
    );
    const sum = counted.reduce((a, b) => a + b, 0);
    if (sum !== this.#total) throw new Error(`${this.#total} writes were acknowledged, and ${sum} counted`);
  }
}

async function begin(server) {
  const answer = await get(server, '/begin');
  const [cookie, ...others] = answer.headers.getSetCookie();
  if (answer.status !== 200 || cookie === undefined || others.length > 0)
    throw new Error(`${server.url}/begin: no session began`);
  return cookie.split(';', 1)[0];
}

function get(server, path, cookie) {
  return fetch(server.url + path, { headers: cookie === undefined ? {} : { cookie } });
}

function checkHead(status, cookies, issues) {
  if (status !== 200) return `status ${status}`;
  if (cookies.length !== (issues ? 1 : 0)) return `${cookies.length} cookies`;
  return undefined;
}

function checkBody(body, expected) {
  const right = typeof expected === 'string' ? body === expected : expected.test(body);
  return right ? undefined : `body ${body}`;
}
