import type { Revocations, Standing } from './revocations';

const GOOD: Promise<Standing> = Promise.resolve({ kind: 'good', entry: null });

/** For those who said in as many words that they go without: every genuine value is good until it expires. */
export const noRevocations: Revocations = {
  standing: () => GOOD,
  deadUntil: async () => -Infinity,
  renew: async () => true,
  end: async () => {},
  endAll: async () => {},
};
