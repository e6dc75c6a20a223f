/** How many files are worked on at once, so that going through many takes few handles. */
export const FILES_AT_ONCE = 32;
/** The same for changes that nobody waits for: no more than Node has threads for files, so that others need not queue behind them. */
export const BACKGROUND_FILES_AT_ONCE = 4;

/** Works on all of them, so many at once. Stops between two batches when the call is given up. */
export async function inBatches<T, R>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T) => Promise<R>,
  batch: number = FILES_AT_ONCE,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += batch) {
    signal.throwIfAborted();
    results.push(...(await Promise.all(items.slice(start, start + batch).map(work))));
  }
  return results;
}
