import { All, Controller, HttpCode, Post } from '@nestjs/common';
import { Session, SkipCsrf, type CsrfOptions } from 'nestjs-tessera';
import { closeApps, platforms, startApp } from '../support/app';
import { visitor } from '../support/visitor';
import { ATTACKER, HOST, everywhere, send, titled, varyOf, type Sent } from './cross-site';
import type { Exchange } from './exchange';

declare module 'nestjs-tessera' {
  interface SessionData {
    strictVisits: number;
  }
}

@Controller()
class StrictController {
  @All('transfer') @HttpCode(200) transfer(): string {
    return 'done';
  }
  @SkipCsrf() @Post('visit') visit(@Session() session: Session): number {
    return session.update('strictVisits', (n = 0) => n + 1);
  }
}

describe.each(platforms)('C16: CsrfGuard in strict mode on %s', (platform) => {
  afterEach(closeApps);

  /** Sends the cookie of a visitor who has a session, or not. */
  async function strict(csrf: CsrfOptions, sent: Sent): Promise<Exchange> {
    const controllers = [StrictController];
    const app = await startApp({ platform, options: { csrf }, controllers, providers: [everywhere] });
    const ada = await visitor(app);
    await ada.post('/visit');
    const cookie = `__Host-session=${await ada.token()}`;
    return send(app, '/transfer', { ...sent, headers: sent.cookie ? { cookie } : {} });
  }

  it.each(
    titled([
      { cookie: true, passes: false },
      { cookie: false, passes: true },
      { cookie: true, method: 'GET', passes: true },
      { cookie: true, site: 'same-origin', passes: true },
      { cookie: true, origin: `https://${HOST}`, passes: true },
      { cookie: true, origin: ATTACKER, passes: false },
    ]),
  )('$title', async ({ passes, sent }) => {
    const { status } = await strict({ strict: true }, sent);
    expect(status).toBe(passes ? 200 : 403);
  });

  it('names the cookie in Vary, whether or not there is one', async () => {
    expect(varyOf(await strict({ strict: true }, {}))).toEqual(['Sec-Fetch-Site', 'Origin', 'Cookie']);
  });

  it('says what a request lacks that does not tell where it comes from', async () => {
    const silent = await strict({ strict: true }, { cookie: true });
    const foreign = await strict({ strict: true }, { cookie: true, origin: ATTACKER });
    expect(
      [silent, foreign].map(({ body }) => (JSON.parse(String(body)) as { message: string }).message),
    ).toEqual([
      'The request does not say where it comes from: send Origin or Sec-Fetch-Site',
      'The request comes from a page of another origin',
    ]);
  });

  it('is off unless it is asked for', async () => {
    expect((await strict({}, { cookie: true })).status).toBe(200);
  });
});
