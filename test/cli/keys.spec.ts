import { randomBytes } from 'node:crypto';
import { MemorySessionStore } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { KEY, OLD_KEY } from '../sealed/sealed';
import { run, runHere } from './program';

const ringOf = (text: string): string[] => text.trim().split(',');
const accepts = (keys: string[]): boolean =>
  new SealedSessions({ keys, revocations: new MemorySessionStore() }) instanceof SealedSessions;

describe('nestjs-tessera keys', () => {
  it('T1: prints another ring of one key each time, which SealedSessions takes', async () => {
    const [first, second] = await Promise.all([run(['keys']), run(['keys'])]);
    const rings = [ringOf(first.stdout), ringOf(second.stdout)];
    expect({ codes: [first.code, second.code], lengths: rings.map(({ length }) => length) }).toEqual({
      codes: [0, 0],
      lengths: [1, 1],
    });
    expect(accepts(rings.flat())).toBe(true);
    expect(Buffer.from(rings[0]![0]!, 'base64url')).toHaveLength(32);
  });

  it('adds a key at the end, and promotes it in a second step', async () => {
    const added = await run(['keys', '--add', 'env:SESSION_KEYS'], {
      env: { SESSION_KEYS: `${KEY},${OLD_KEY}` },
    });
    const [first, second, fresh] = ringOf(added.stdout);
    const promoted = await run(['keys', '--promote', '-'], { input: added.stdout });
    expect({
      added: [first, second],
      promoted: ringOf(promoted.stdout),
      codes: [added.code, promoted.code],
    }).toEqual({
      added: [KEY, OLD_KEY],
      promoted: [fresh, KEY, OLD_KEY],
      codes: [0, 0],
    });
    expect(accepts([KEY, OLD_KEY, fresh!])).toBe(true);
  });

  it('T3: takes no key from the arguments, which all users of the machine can read', async () => {
    const { code, stdout, stderr } = await runHere(['keys', '--add', KEY]);
    expect({ code, stdout, isShown: stderr.includes(KEY) }).toEqual({ code: 2, stdout: '', isShown: false });
    expect(stderr).toMatch(/^--add takes env:NAME, or - for the standard input\./);
  });

  it('T3: refuses a weak key, and shows nothing of it', async () => {
    const { code, stdout, stderr } = await run(['keys', '--promote', '-'], { input: `${KEY},short` });
    expect({ code, stdout, stderr }).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: expect.stringMatching(
        /^The key ring is invalid:\n {2}- keys\[1\] must have at least 32 bytes, got 5;/,
      ),
    });
    expect(stderr).not.toMatch(/short\b|Yk2Jf0/);
  });

  it.each([
    [['--add', 'env:NOT_SET'], 2, /^The environment variable NOT_SET is not set\./],
    [['--add', '-', '--promote', '-'], 2, /^--add and --promote are two steps/],
    [['--rotate'], 2, /^Unknown option '--rotate'/],
    [[`--${KEY}`], 2, /^Unknown option\nnestjs-tessera --help/],
    [[KEY], 2, /^Besides its options the command takes 0 arguments, not 1\./],
  ])('refuses %j', async (args, code, message) => {
    const result = await runHere(['keys', ...args]);
    expect(result).toEqual({ code, stdout: '', stderr: expect.stringMatching(message) });
  });

  it.each([
    ['a space after the comma', `${KEY}, ${OLD_KEY}`],
    ['quotes, as in a file of variables', `"${KEY},${OLD_KEY}"`],
    ['the name of a variable', `SESSION_KEYS=${KEY},${OLD_KEY}`],
    ['a key in each line', `${KEY}\n${OLD_KEY}`],
  ])('refuses %s, which would become part of a key', async (_, ring) => {
    for (const option of ['--add', '--promote'])
      expect(await runHere(['keys', option, 'env:RING'], { env: { RING: ring } })).toEqual({
        ...{ code: 1, stdout: '' },
        stderr: expect.stringMatching(
          /^The key ring is invalid:\n {2}- keys\[\d\] has white space, a quote or/,
        ),
      });
  });

  it('takes keys in base64, and a line break at the end', async () => {
    const ring = [randomBytes(32).toString('base64'), KEY];
    const { stdout } = await runHere(['keys', '--promote', 'env:RING'], {
      env: { RING: `${ring.join()}\r\n` },
    });
    expect(ringOf(stdout)).toEqual(ring.toReversed());
  });

  it('does not promote the only key', async () => {
    const { code, stderr } = await run(['keys', '--promote', '-'], { input: KEY });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'The ring has one key only: add another with keys --add.\n',
    });
  });
});

describe('nestjs-tessera', () => {
  it.each([
    [[], 2, /^A command is missing\.\nnestjs-tessera --help /],
    [['session'], 2, /^There is no command 'session'\.\nnestjs-tessera --help /],
    // An argument that has been forgotten in front of the URL must not show it.
    [
      ['redis://:hunter2@host'],
      2,
      /^There is no command of this name\.\nnestjs-tessera --help (?!.*hunter2)/s,
    ],
  ])('tells how it is used, after %j', async (args, code, message) => {
    expect(await run(args)).toEqual({ code, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('prints its usage when it is asked to', async () => {
    const { code, stdout } = await run(['keys', '--help']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^Usage: nestjs-tessera <command>/),
    });
  });
});
