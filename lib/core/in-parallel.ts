/** How many calls are made at once. */
const CALLS_AT_ONCE = 16;

/** Calls `run` for each item, a few at once, and returns the results in the items' order. Rejects with the first error. */
export async function inParallel<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const entries = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, items.length) }, work));
  return results;
}

/**
 * The same, with `undefined` for each call that fails. When none of the first calls succeeds, the store is taken for down: the others are not
 * made, and count as failed.
 */
export function answersInParallel<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R>,
): Promise<(R | undefined)[]> {
  let hasAnswered = false;
  let failures = 0;
  return inParallel(items, async (item) => {
    if (!hasAnswered && failures >= CALLS_AT_ONCE) return undefined;
    try {
      const answer = await run(item);
      hasAnswered = true;
      return answer;
    } catch {
      failures++;
      return undefined;
    }
  });
}
