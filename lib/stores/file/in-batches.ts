/** How many files are processed at once. Limits the number of open handles. */
export const FILES_AT_ONCE = 32;
/** The same for background changes: as many as Node has threads for files, so that requests do not queue behind them. */
export const BACKGROUND_FILES_AT_ONCE = 4;

/** Processes all items, `batch` at a time. Rejects between two batches when the call is aborted. */
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
