import { listedCases, provenCases } from './case-names';
import { Markdown } from './markdown';

/** How many requirements each section of ASVS 5.0.0 has. */
const ASVS = { '7.1': 3, '7.2': 4, '7.3': 2, '7.4': 5, '7.5': 3, '7.6': 2, '3.3': 5, '3.5': 8 };

/** The sections of NIST SP 800-63B-4 about sessions, and those about the timeouts of each level. */
const NIST = ['5.1', '5.1.1', '5.1.2', '5.2', '5.3', '2.1.3', '2.2.3', '2.3.3'];

const rows = new Markdown('docs/asvs.md').tables('requirement').flatMap((table) =>
  table.map((cells) => {
    const [requirement = '', library = '', , tests = ''] = cells;
    const [, number = '', level] = /^\*\*([\d.]+)\*\*(?: \((L\d)\))? \S/.exec(requirement) ?? [];
    return { cells, number, isAsvs: level !== undefined, library, tests };
  }),
);

/** The names in the last column: `T1`, `L8`. */
const namesIn = (tests: string): string[] => [...tests.matchAll(/`(\w+)`/g)].map(([, name]) => name!);

describe('docs/asvs.md', () => {
  const numbersOf = (isAsvs: boolean): string[] =>
    rows.filter((row) => row.isAsvs === isAsvs).map(({ number }) => number);

  it('has each requirement of ASVS about sessions and their cookies once, in order', () => {
    const expected = Object.entries(ASVS).flatMap(([section, count]) =>
      Array.from({ length: count }, (_, index) => `${section}.${index + 1}`),
    );
    expect(numbersOf(true)).toEqual(expected);
    expect(expected.filter((number) => number.startsWith('7.'))).toHaveLength(19);
  });

  it('has each section of NIST SP 800-63B-4 about sessions, and no other', () => {
    expect(new Set(numbersOf(false))).toEqual(new Set(NIST));
  });

  it.each(rows)('says of $number what the library does, what is left to do, and what proves it', (row) => {
    const { cells, library, tests } = row;
    expect({ cells: cells.length, empty: cells.filter((cell) => cell.length < 2) }).toEqual({
      cells: 4,
      empty: [],
    });
    const form = library.startsWith('Nothing') ? /^none$/ : /^`[A-Z]\d+`(?:, `[A-Z]\d+`)*$/;
    expect(tests).toMatch(form);
  });

  it('names no case twice in a row', () => {
    const repeating = rows.filter(({ tests }) => new Set(namesIn(tests)).size < namesIn(tests).length);
    expect(repeating.map(({ number }) => number)).toEqual([]);
  });

  it.each([
    { where: 'docs/cases.md', known: listedCases() },
    { where: 'titles of tests', known: provenCases() },
  ])('names no case that is not in $where', ({ known }) => {
    const named = new Set(rows.flatMap(({ tests }) => namesIn(tests)));
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  });
});
