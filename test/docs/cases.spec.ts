import { listedCases, provenCases } from './case-names';

describe('docs/cases.md', () => {
  const listed = listedCases();
  const proven = provenCases();

  it('lists no case without a test', () => {
    expect([...listed].filter((name) => !proven.has(name))).toEqual([]);
  });

  it('lists every case that a test is named after', () => {
    expect([...proven].filter((name) => !listed.has(name))).toEqual([]);
  });
});
