import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import { Body, Controller, Post, type Type } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import ts from 'typescript';
import { closeApps, platforms, startApp } from '../support/app';
import '../support/session-data';
import { visitor } from '../support/visitor';
import { Markdown } from './markdown';

const guide = new Markdown('docs/observing.md');

interface AuditLog {
  write(what: object): void;
}

/** The audit log of the guide, as its reader would have it in a file. */
function auditLogOfTheGuide(): { AuditLog: Type<AuditLog>; rememberOrigin: () => void } {
  const { code } = guide.snippets('ts').find((snippet) => snippet.code.includes('class AuditLog'))!;
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      experimentalDecorators: true,
    },
  });
  const exported = {};
  const module = compileFunction(outputText, ['require', 'exports', 'process']) as (
    ...all: unknown[]
  ) => void;
  module(require, exported, process);
  return exported as ReturnType<typeof auditLogOfTheGuide>;
}

const { AuditLog, rememberOrigin } = auditLogOfTheGuide();

@Controller()
class AccountController {
  constructor(private readonly log: AuditLog) {}

  @Post('login') login(@Session() session: Session, @Body() { id }: { id: string }) {
    if (id === 'eve') this.log.write({ type: 'loginFailed', account: 'eve\n{"type":"loggedIn"}' });
    else session.login({ id });
  }
  @Post('logout') logout(@Session() session: Session) {
    session.logout();
  }
}
// Its type is known at run time only.
Reflect.defineMetadata('design:paramtypes', [AuditLog], AccountController);

describe.each(platforms)('the audit log of docs/observing.md on %s', (platform) => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-audit-'));
  const file = join(folder, `audit-${platform}.jsonl`);
  const lines = () =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  beforeAll(() => (process.env['AUDIT_LOG'] = file));
  afterEach(closeApps);
  afterAll(() => {
    delete process.env['AUDIT_LOG'];
    rmSync(folder, { recursive: true });
  });

  it('T3: says when, where, who and what, and no secret, in a line for each event', async () => {
    const app = await startApp({
      platform,
      options: { clock: manualClock(Date.UTC(2026, 2, 1, 9, 30)) },
      controllers: [AccountController],
      providers: [AuditLog],
      configure: (each) => void each.use(rememberOrigin),
    });
    const ada = await visitor(app);
    await ada.post('/login?code=a-secret', { id: 'ada' });
    const [id, secret] = (await ada.token())!.split('.');
    const forged = `__Host-session=${id}.${'x'.repeat(43)}`;
    await (await visitor(app)).post('/logout', {}, { headers: { cookie: forged } });
    await ada.post('/logout');
    await ada.post('/login', { id: 'eve' });

    const about = { time: '2026-03-01T09:30:00.000Z', address: '127.0.0.1', method: 'POST' };
    const session = { sessionName: 'default', id, principal: 'default:ada', reason: null };
    expect(lines().slice(0, -1)).toMatchObject([
      { ...about, ...session, type: 'created', path: '/login' },
      { ...about, ...session, type: 'loggedIn', path: '/login' },
      { ...about, type: 'rejected', id, reason: 'stale-token', path: '/logout' },
      { ...about, ...session, type: 'loggedOut', reason: 'logout', path: '/logout' },
      { ...about, ...session, type: 'destroyed', reason: 'logout', path: '/logout' },
    ]);
    expect(lines().at(-1)).toMatchObject({ type: 'loginFailed', path: '/login', address: '127.0.0.1' });
    const text = readFileSync(file, 'utf8');
    expect({
      leaks: [secret!, 'a-secret', 'x'.repeat(43)].filter((each) => text.includes(each)),
      mode: statSync(file).mode & 0o777,
    }).toEqual({ leaks: [], mode: 0o600 });
  });
});
