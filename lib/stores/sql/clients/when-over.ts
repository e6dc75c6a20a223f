/** Closes something when the signal aborts, or at once if it has already. Failures are ignored: what fails to close is closed. */
export function whenOver(over: AbortSignal, close: () => Promise<unknown>): void {
  const end = (): void => void close().catch(() => undefined);
  if (over.aborted) end();
  else over.addEventListener('abort', end, { once: true });
}
