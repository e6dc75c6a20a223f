import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session, SessionTransport } from 'nestjs-tessera';
import { closeApps, platforms, startApp } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { Visitor } from '../support/visitor';
import { Markdown } from './markdown';

const guide = new Markdown('docs/writing-a-transport.md');
const code = guide.snippets('ts').find((snippet) => snippet.code.includes('export class'))!.code;

/** The transport of the guide, as its reader would have it in a file. */
function transportOfTheGuide(): SessionTransport {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-guide-'));
  try {
    const file = join(folder, 'header-transport.ts');
    writeFileSync(file, code);
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return new (require(file) as { HeaderTransport: new () => SessionTransport }).HeaderTransport();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('docs/writing-a-transport.md', () => {
  it('builds a transport of about twenty lines', () => {
    const lines = code.slice(code.indexOf('export class')).split('\n').length;
    expect(Math.round(lines / 10)).toBe(2);
  });

  it('names every member', () => {
    const names = guide.table('member').map(([name]) => name!.replaceAll('`', ''));
    expect(names.sort()).toEqual(
      ['channel', 'sealedFor', 'vary', 'read', 'capacity', 'obstacle', 'write'].sort(),
    );
  });
});

describe.each(platforms)('the transport of docs/writing-a-transport.md on %s', (platform) => {
  afterEach(closeApps);

  it('carries a session from its beginning to its end', async () => {
    const { controller, run } = scripted();
    const app = await startApp({
      platform,
      options: { transport: transportOfTheGuide() },
      controllers: [controller],
    });
    const client = new Visitor(await app.getUrl());
    const send = async (token: string, work: (session: Session) => unknown) => {
      const answer = await run(client, work, { headers: { 'x-session': token } });
      const { result } = answer.json<{ result?: unknown }>();
      return { result, token: answer.headers.get('x-session'), cookies: answer.cookies };
    };

    const begun = await send('', (session) => session.update('visits', () => 1));
    expect(begun).toEqual({ result: 1, token: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/), cookies: [] });
    const renewed = await send(begun.token!, (session) => session.login({ id: 'ada' }));
    expect(renewed.token).not.toBe(begun.token);
    expect(await send(renewed.token!, (session) => session.get('visits'))).toMatchObject({
      result: 1,
      token: null,
    });
    expect(await send(renewed.token!, (session) => session.destroy())).toMatchObject({ token: '' });
    expect(await send(renewed.token!, (session) => session.isNew)).toMatchObject({ result: true });
  });
});
