import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describePolicy } from 'nestjs-tessera';
import { linesOf, run } from './program';

describe('nestjs-tessera policy', () => {
  let folder: string;
  const file = (name: string, source: string): string => {
    writeFileSync(join(folder, name), source);
    return name;
  };

  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'tessera-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['the default export of an ES module', 'a.mjs', `export default { lifetime: '2h' };`],
    ['a named export of an ES module', 'b.mjs', `export const options = { lifetime: '2h' };`],
    ['what a CommonJS module exports', 'c.cjs', `module.exports = { lifetime: '2h' };`],
    ['a named export of a CommonJS module', 'd.cjs', `exports.options = { lifetime: '2h' };`],
    [
      'the default export that TypeScript compiled to CommonJS',
      'e.js',
      `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = { lifetime: '2h' };`,
    ],
    ['a JSON file', 'k.json', `{ "lifetime": "2h" }`],
  ])('E7: prints what describePolicy returns, for %s', async (_, name, source) => {
    const { code, stdout } = await run(['policy', file(name, source), '--json'], { cwd: folder });
    expect({ code, policy: JSON.parse(stdout) }).toEqual({
      code: 0,
      policy: describePolicy({ lifetime: '2h' }),
    });
  });

  it('E7: prints it for people', async () => {
    const options = `{ policy: 'aal3', onIdle: 'lock', maxSessionsPerPrincipal: 3, rotateEvery: '90s' }`;
    const { code, stdout } = await run(
      ['policy', file('f.mjs', `export default ${options};`), '--name', 'admin'],
      {
        cwd: folder,
      },
    );
    expect({ code, lines: linesOf(stdout).slice(0, 10) }).toEqual({
      code: 0,
      lines: [
        'Instance                  admin',
        'Preset                    aal3',
        'Lifetime                  12h',
        'Idle timeout              15m, then it is locked',
        'Remembered: lifetime      12h',
        'Remembered: idle timeout  15m',
        'Pending login             10m',
        'Sessions per principal    3, then evict-oldest',
        'Token rotates             90s',
        'Token in                  cookie __Host-session-admin',
      ],
    });
    expect(stdout).toMatch(/^- Timeouts are enforced on the server\.$/m);
  });

  it('takes the name from the options, as forRoot does', async () => {
    const name = file('l.mjs', `export default { name: 'staff', lifetime: '2h' };`);
    const runs = {
      own: await run(['policy', name, '--json'], { cwd: folder }),
      told: await run(['policy', name, '--json', '--name', 'admin'], { cwd: folder }),
    };
    expect({
      own: JSON.parse(runs.own.stdout) as object,
      told: JSON.parse(runs.told.stdout) as object,
    }).toEqual({
      own: describePolicy({ lifetime: '2h' }, 'staff'),
      told: describePolicy({ lifetime: '2h' }, 'admin'),
    });
  });

  it('ends although the file has opened something', async () => {
    const source = `setInterval(() => {}, 1000); export default {};`;
    expect((await run(['policy', file('g.mjs', source)], { cwd: folder })).code).toBe(0);
  });

  it.each([
    ['a file that is not there', 'none.mjs', null, /^There is no file .*none\.mjs\.\n$/],
    [
      'a file without options',
      'h.mjs',
      'export const other = 1;',
      /^h\.mjs exports no options\. Export what forRoot/,
    ],
    ['a factory', 'i.mjs', 'export default () => ({});', /^i\.mjs exports no options\. .*not a function or/],
    [
      'a promise, of which it would print the defaults',
      'm.mjs',
      `export const options = Promise.resolve({ lifetime: '2h' });`,
      /^m\.mjs exports no options\. .*not a function or a promise\.\n$/,
    ],
    [
      'a file that is no JavaScript',
      'n.mjs',
      'export default {',
      /n\.mjs could not be imported: Unexpected end/,
    ],
    ['a file that throws', 'o.mjs', 'throw null', /o\.mjs could not be imported: a value .*: null\n$/],
    [
      'a file that cannot connect to any address of a host',
      'p.mjs',
      `throw new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')]);`,
      /p\.mjs could not be imported: connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127\.0\.0\.1:1\n$/,
    ],
    [
      'options that cannot work',
      'j.mjs',
      `export default { lifetime: '12' };`,
      /- lifetime must say its unit/,
    ],
  ])('fails for %s', async (_, name, source, message) => {
    if (source !== null) file(name, source);
    expect(await run(['policy', name], { cwd: folder })).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: expect.stringMatching(message),
    });
  });

  it('is told which file', async () => {
    expect((await run(['policy'])).stderr).toMatch(
      /^The file is missing that exports the options\.\nnestjs-tessera --help /,
    );
  });
});
