import { describeUnless, itUnless } from './not-run';

/** Whether the long tests run too. `npm run test:all` sets the variable, and only this file reads it. */
export const isAll = process.env['TESTS'] === 'all';

const reason = isAll ? null : 'long: npm run test:all runs them';

/** How often a test repeats something: a number for `npm test`, and a larger one for `npm run test:all`. */
export function often(byDefault: number, all: number): number {
  return isAll ? all : byDefault;
}

/** `describe` for storms and crash loops that take longer than `npm test` can wait. */
export function describeLong(title: string, body: () => void): void {
  describeUnless(reason, title, body);
}

/** `it` for the same. */
export function itLong(title: string, body: () => Promise<void>, timeout?: number): void {
  itUnless(reason, title, body, timeout);
}

/** `it.each` for the same. */
export function itEachLong<Row extends object>(rows: readonly Row[]) {
  return (title: string, body: (row: Row) => Promise<void>): void =>
    describeLong('at length', () => it.each(rows)(title, body));
}

/** `describe` for each of several kinds, of which only some belong to `npm test`. */
export function describeSome<K extends { readonly name: string }>(
  kinds: readonly K[],
  belongs: (kind: K) => boolean,
  title: string,
  body: (kind: K) => void,
): void {
  for (const kind of kinds) {
    const describeKind = belongs(kind) ? describe : describeLong;
    describeKind(`${title} ${kind.name}`, () => body(kind));
  }
}
