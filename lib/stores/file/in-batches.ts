/** How many files are worked on at once, so that going through many takes few handles. */
export const BATCH = 32;

/** Works on all of them, so many at once. Stops between two batches when the call is given up. */
export async function inBatches<T, R>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += BATCH) {
    signal.throwIfAborted();
    results.push(...(await Promise.all(items.slice(start, start + BATCH).map(work))));
  }
  return results;
}
