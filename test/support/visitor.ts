import { CookieJar } from 'tough-cookie';
import type { App } from './app';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The `Set-Cookie` lines. */
  readonly cookies: string[];
  json<T = unknown>(): T;
}

export interface Visit {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** A person with a browser: keeps cookies as a browser does, follows no redirect on its own. */
export class Visitor {
  readonly jar: CookieJar;

  constructor(
    private readonly url: string,
    jar: CookieJar = new CookieJar(),
  ) {
    this.jar = jar;
  }

  get(path: string, visit: Visit = {}): Promise<Answer> {
    return this.request('GET', path, visit);
  }

  post(path: string, body: unknown = {}, visit: Visit = {}): Promise<Answer> {
    return this.request('POST', path, { body, ...visit });
  }

  async request(method: string, path: string, { body, headers = {}, signal }: Visit = {}): Promise<Answer> {
    const cookie = await this.jar.getCookieString(this.#site);
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(cookie !== '' && { cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    const cookies = response.headers.getSetCookie();
    for (const line of cookies) await this.jar.setCookie(line, this.#site, { ignoreError: true });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      cookies,
      json: () => JSON.parse(text) as never,
    };
  }

  /** The session token this visitor holds, if any. */
  async token(name = '__Host-session'): Promise<string | undefined> {
    return (await this.jar.getCookies(this.#site)).find(({ key }) => key === name)?.value;
  }

  /** The same cookies in another window: what one of the two is given afterwards the other does not see. */
  async twin(): Promise<Visitor> {
    return new Visitor(this.url, await this.jar.clone());
  }

  /** Browsers treat the loopback host as secure; the jar wants to hear it. */
  get #site(): string {
    return this.url.replace('http:', 'https:');
  }
}

export async function visitor(app: App): Promise<Visitor> {
  return new Visitor(await app.getUrl());
}
