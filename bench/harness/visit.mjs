import { CONNECTIONS, cookieFrom } from './load.mjs';

/** A route of one running subject, be it asked over sockets or in this process, ready to be asked. */
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
    const cookies = Array.from({ length: CONNECTIONS }, (_, i) =>
      this.server.traits.keepsSessions
        ? this.#begin()
        : `__Host-session=${'b'.repeat(22)}.${'s'.repeat(42)}${i}`,
    );
    this.#cookies = await Promise.all(cookies);
  }

  /** So many requests, every answer checked: the server's CPU time in microseconds a request, and what the client saw. */
  async measure(requests) {
    const { server, route } = this;
    const before = await server.cpu();
    const expected = this.#expectedCookies;
    const seen = await server
      .load(route.path, {
        requests,
        cookies: this.#cookies,
        follow: this.#follows,
        checkHead: (status, cookies) => checkHead(status, cookies, expected),
        checkBody: (body) => checkBody(body, route.body),
      })
      .catch((error) => {
        throw this.#wrong(error.message);
      });
    const cpu = (await server.cpu()) - before;
    this.#total += requests;
    return { cpu: cpu / requests, ...seen };
  }

  /** After all: no write was lost, and who logged in is known. */
  async verify() {
    if (!this.server.traits.keepsSessions) return;
    if (this.route.name === 'write') await this.#verifyWrites();
    if (this.route.name === 'login') await this.#verifyLogin();
  }

  async #verifyWrites() {
    const counts = this.#cookies.map(async (cookie) => (await this.#json('/write', cookie)).visits - 1);
    const sum = (await Promise.all(counts)).reduce((a, b) => a + b, 0);
    if (sum !== this.#total) throw this.#wrong(`${this.#total} writes were acknowledged, and ${sum} counted`);
  }

  async #verifyLogin() {
    const [before] = this.#cookies;
    const { cookies } = await this.server.get('/login', before);
    const after = cookieFrom(cookies);
    await this.#expectUser(after, 'ada');
    if (this.server.traits.keepsDataInCookie) return;
    if (after === before) throw this.#wrong('a login has left the cookie as it was');
    await this.#expectUser(before, null);
    for (const cookie of this.#cookies.slice(1)) await this.#expectUser(cookie, 'ada');
  }

  async #expectUser(cookie, expected) {
    const { user } = await this.#json('/user', cookie);
    if (user !== expected) throw this.#wrong(`${user} is logged in instead of ${expected}`);
  }

  /**
   * Whether each request comes with the cookie of the answer before. Somebody whose data is the cookie logs in from the same anonymous
   * session each time: a login with nothing new in it would not be one.
   */
  get #follows() {
    const { keepsSessions, keepsDataInCookie } = this.server.traits;
    const { hasCookie, name } = this.route;
    return hasCookie && keepsSessions && !(name === 'login' && keepsDataInCookie);
  }

  get #expectedCookies() {
    const { keepsSessions, issuesOnWrite, cookieLines } = this.server.traits;
    const { issues } = this.route;
    return keepsSessions && (issues === 'always' || (issues === 'on write' && issuesOnWrite))
      ? cookieLines
      : 0;
  }

  async #begin() {
    const cookie = await this.#issued('/begin');
    return this.route.isLoggedIn ? this.#issued('/login', cookie) : cookie;
  }

  async #issued(path, cookie) {
    const { status, cookies } = await this.server.get(path, cookie);
    if (status !== 200 || cookies.length !== this.server.traits.cookieLines)
      throw this.#wrong(`no session from ${path}: status ${status}, ${cookies.length} cookies`);
    return cookieFrom(cookies);
  }

  async #json(path, cookie) {
    return JSON.parse((await this.server.get(path, cookie)).body);
  }

  #wrong(what) {
    return new Error(`${this.server.name} answers ${this.route.name} wrongly: ${what}`);
  }
}

function checkHead(status, cookies, expected) {
  if (status !== 200) return `status ${status}`;
  if (cookies.length !== expected) return `${cookies.length} cookies instead of ${expected}`;
  return undefined;
}

function checkBody(body, expected) {
  const right = typeof expected === 'string' ? body === expected : expected.test(body);
  return right ? undefined : `body ${body}`;
}
