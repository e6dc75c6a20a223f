import { CookieJar } from 'tough-cookie';

/** A page, or the redirect to one. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The `Set-Cookie` lines. */
  readonly cookies: string[];
}

/** Somebody with a browser: keeps cookies, opens pages and sends forms, and follows no redirect unasked. */
export class Person {
  constructor(
    private readonly site: string,
    private readonly jar: CookieJar = new CookieJar(),
    private readonly browser = 'an unknown browser',
  ) {}

  get(path: string): Promise<Answer> {
    return this.#fetch(path, {});
  }

  /** Sends a form, as a page of this site does. */
  send(path: string, fields: Record<string, string> = {}): Promise<Answer> {
    return this.#fetch(path, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { origin: this.site },
    });
  }

  /** Somebody who has got hold of the same cookie. */
  async thief(): Promise<Person> {
    return new Person(this.site, await this.jar.clone());
  }

  /** The session token, if there is one. */
  async token(): Promise<string | undefined> {
    return (await this.jar.getCookies(this.#trusted)).find(({ key }) => key === '__Host-session')?.value;
  }

  async #fetch(path: string, init: RequestInit): Promise<Answer> {
    const cookie = await this.jar.getCookieString(this.#trusted);
    const headers = { accept: 'text/html', 'user-agent': this.browser, cookie, ...init.headers };
    const response = await fetch(this.site + path, { ...init, headers, redirect: 'manual' });
    const cookies = response.headers.getSetCookie();
    for (const line of cookies) await this.jar.setCookie(line, this.#trusted);
    return { status: response.status, headers: response.headers, text: await response.text(), cookies };
  }

  /** Browsers trust the loopback host with a `Secure` cookie; the jar has to be told. */
  get #trusted(): string {
    return this.site.replace('http:', 'https:');
  }
}

/** Where an answer leads. */
export async function place(answer: Promise<Answer>): Promise<string | null> {
  return (await answer).headers.get('location');
}
