import { randomInt } from 'node:crypto';

/** Decides the random tests of this run. They show it in their title or their failure, and `SEED=<number> npm test` repeats them. */
export const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
