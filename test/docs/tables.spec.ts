import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultsOf, membersOfUnion } from './compiler';
import { Markdown, root } from './markdown';

const table = (page: string, firstHeader: string) => new Markdown(`docs/${page}.md`).table(firstHeader);

describe('the tables of the guides say what the source says', () => {
  const options = new Map([
    ...defaultsOf('lib/session.options.ts', 'SessionModuleOptions'),
    ...defaultsOf('lib/login.options.ts', 'LoginModuleOptions'),
    ...defaultsOf('lib/schema.options.ts', 'SchemaOptions'),
    ...defaultsOf('lib/transports/cookie-options.ts', 'CookieOptions', 'cookie.'),
    ...defaultsOf('lib/requests/csrf-options.ts', 'CsrfOptions', 'csrf.'),
  ]);
  options.delete('cookie');
  options.delete('csrf');
  const rows = table('options', 'option').map(([option, value]) => ({
    option: bare(option),
    value: bare(value),
  }));

  it('of the options, each once', () => {
    expect(rows.map(({ option }) => option).sort()).toEqual([...options.keys()].sort());
  });

  it.each(rows)('of the default of $option', ({ option, value }) => {
    expect(options.get(option)).toEqual(expect.stringContaining(value));
  });

  it('of the codes of errors, each in one of its tables', () => {
    const codes = membersOfUnion('lib/core/session.errors.ts', 'SessionErrorCode');
    const rows = new Markdown('docs/errors.md').tables('code').flat();
    expect(rows.map(([code]) => bare(code)).sort()).toEqual([...codes].sort());
  });

  it.each(['auth', 'csrf'])('of the answers of %s.guard.ts', (guard) => {
    const source = readFileSync(join(root, `lib/guards/${guard}.guard.ts`), 'utf8');
    const codes = [...source.matchAll(/(?:unauthorized\(|forbidden\(|code: )'([A-Z_]+)'/g)].map(
      ([, code]) => code,
    );
    const answers = table('errors', 'answer').map(([answer]) => bare(answer).slice('401 '.length));
    expect(codes).not.toHaveLength(0);
    expect(answers).toEqual(expect.arrayContaining(codes));
  });

  it('of the types of events, each once', () => {
    const types = membersOfUnion('lib/core/session-event.ts', 'SessionEventType');
    expect(table('observing', 'type').map(([type]) => bare(type))).toEqual(types);
  });

  it('of the reasons of events, each once', () => {
    const reasons = membersOfUnion('lib/core/session-event.ts', 'SessionEventReason');
    const listed = table('observing', 'reason').map(([reason]) => bare(reason));
    expect(listed.sort()).toEqual([...reasons].sort());
  });
});

function bare(cell = ''): string {
  return cell.replaceAll('`', '');
}
