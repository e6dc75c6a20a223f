import { describeUnless, itUnless } from './not-run';

/** `all` with `npm run test:all`; `rest` for what `npm test` has left out. Only this file reads the variable. */
const tests = process.env['TESTS'];

/** Whether the long tests run too. */
export const isAll = tests === 'all' || tests === 'rest';

const reason = isAll ? null : 'long: npm run test:all runs them';

/** Why a kind is left out that belongs to `npm test`. */
export const ranAlready = tests === 'rest' ? 'short: npm test runs them' : null;

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
    describeUnless(belongs(kind) ? ranAlready : reason, `${title} ${kind.name}`, () => body(kind));
  }
}
