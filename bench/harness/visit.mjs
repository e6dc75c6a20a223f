import { CONNECTIONS, cookieFrom, get, load } from './load.mjs';

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
    const cookies = Array.from({ length: CONNECTIONS }, (_, i) =>
      this.server.keepsSessions ? this.#begin() : `__Host-session=${'b'.repeat(22)}.${'s'.repeat(42)}${i}`,
    );
    this.#cookies = await Promise.all(cookies);
  }

  /** So many requests, every answer checked: the server's CPU time in microseconds a request, and what the client saw. */
  async measure(requests) {
    const { server, route } = this;
    const before = await server.cpu();
    const seen = await load(server.url + route.path, {
      requests,
      cookies: this.#cookies,
      follow: this.#follows,
      checkHead: (status, cookies) => checkHead(status, cookies, this.#expectedCookies),
      checkBody: (body) => checkBody(body, route.body),
    }).catch((error) => {
      throw this.#wrong(error.message);
    });
    const cpu = (await server.cpu()) - before;
    this.#total += requests;
    return { cpu: cpu / requests, ...seen };
  }

  /** After all: no write was lost, and who logged in is known. */
  async verify() {
    if (!this.server.keepsSessions) return;
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
    const { cookies } = await get(this.server.url + '/login', before);
    const after = cookieFrom(cookies);
    await this.#expectUser(after, 'ada');
    if (this.server.keepsDataInCookie) return;
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
    const { server, route } = this;
    return route.hasCookie && server.keepsSessions && !(route.name === 'login' && server.keepsDataInCookie);
  }

  get #expectedCookies() {
    const { server, route } = this;
    const issues = route.issues === 'always' || (route.issues === 'on write' && server.issuesOnWrite);
    return issues && server.keepsSessions ? server.cookieLines : 0;
  }

  async #begin() {
    const { status, cookies } = await get(this.server.url + '/begin');
    if (status !== 200 || cookies.length !== this.server.cookieLines)
      throw this.#wrong(`no session began: status ${status}, ${cookies.length} cookies`);
    return cookieFrom(cookies);
  }

  async #json(path, cookie) {
    return JSON.parse((await get(this.server.url + path, cookie)).body);
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
