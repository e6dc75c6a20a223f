export const PASSWORD = 'correct horse battery staple';

/** What the tests read of the answers. */
interface Body extends Array<{ readonly id: string; readonly name: string }> {
  readonly name?: string;
  readonly code?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Body;
}

/** An app on a phone: it sends the token that it has, and keeps what `X-Session-Token` of any answer says. */
export class AppClient {
  token: string | null = null;

  constructor(
    private readonly url: string,
    private readonly device: string,
  ) {}

  static async logIn(url: string, name: string, device: string): Promise<AppClient> {
    const client = new AppClient(url, device);
    const response = await client.send('POST', '/login', { name, password: PASSWORD });
    client.token = (response.json as unknown as { readonly token: string }).token;
    return client;
  }

  async send(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        'x-device-name': this.device,
        ...(this.token !== null && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const told = response.headers.get('x-session-token');
    if (told !== null) this.token = told === '' ? null : told;
    const text = await response.text();
    const { status, headers } = response;
    return { status, headers, json: (text === '' ? null : JSON.parse(text)) as Body };
  }
}
