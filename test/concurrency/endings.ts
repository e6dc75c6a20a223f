import type { Core } from '../support/core';

/** For a commit whose client has left. */
export const GONE = { reach: 'gone', capacity: Infinity } as const;

/** What a store does that does not answer. */
export const down = (): never => {
  throw new Error('down');
};

/** What a commit comes to: the kind of its outcome, or the code of its error. */
export const ending = (commit: Promise<{ kind: string }>): Promise<string> =>
  commit.then(
    ({ kind }) => kind,
    ({ code }: { code: string }) => code,
  );

/** All sessions of a principal are ended. Returns an instant before that. */
export async function revokedIn({ manager, clock }: Core, principal: { id: string }): Promise<number> {
  const checkedAt = clock();
  clock.advance(5);
  await manager.endAll(principal);
  return checkedAt;
}
