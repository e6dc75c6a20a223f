import { CookieJar } from 'tough-cookie';

export const PASSWORD = 'correct horse battery staple';

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Opens pages and sends forms with the cookies that it was given. Follows no redirect. */
export class Browser {
  readonly #jar = new CookieJar();

  constructor(private readonly site: string) {}

  open(path: string): Promise<Page> {
    return this.#fetch(path, {});
  }

  send(path: string, fields: Record<string, string> = {}, origin = this.site): Promise<Page> {
    return this.#fetch(path, { method: 'POST', body: new URLSearchParams(fields), headers: { origin } });
  }

  /** Names of its cookies. */
  async cookies(): Promise<string[]> {
    return (await this.#jar.getCookies(this.#secure)).map(({ key }) => key).sort();
  }

  async #fetch(path: string, init: RequestInit): Promise<Page> {
    const cookie = await this.#jar.getCookieString(this.#secure);
    const headers = { accept: 'text/html', cookie, ...init.headers };
    const response = await fetch(this.site + path, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) await this.#jar.setCookie(line, this.#secure);
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Browsers trust the loopback host with a `Secure` cookie; the jar has to be told. */
  get #secure(): string {
    return this.site.replace('http:', 'https:');
  }
}
