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

  /** Listens to server-sent events, as the script of a live page does. */
  async listen(path: string): Promise<EventStream> {
    const cookie = await this.jar.getCookieString(this.#trusted);
    const headers = { accept: 'text/event-stream', cookie };
    const response = await fetch(this.site + path, { headers, redirect: 'manual' });
    return new EventStream(response);
  }

  /** What a script gets that asks for a part of a page. */
  async part(path: string): Promise<Response> {
    const cookie = await this.jar.getCookieString(this.#trusted);
    return fetch(this.site + path, { headers: { cookie }, redirect: 'manual' });
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

export class EventStream {
  readonly #reader;
  #text = '';

  constructor(readonly response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The data of the next event; `null` at the end of the stream. */
  async next(): Promise<string | null> {
    for (;;) {
      const event = /^data: (.*)\n(?:.+\n)*\n/m.exec(this.#text);
      if (event !== null) {
        this.#text = this.#text.slice(event.index + event[0].length);
        return event[1]!;
      }
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#text += value;
    }
  }

  async end(): Promise<void> {
    while ((await this.next()) !== null);
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }
}

/** Where an answer leads. */
export async function place(answer: Promise<Answer>): Promise<string | null> {
  return (await answer).headers.get('location');
}
