import { setMaxListeners } from 'node:events';

/**
 * Resolves after the given milliseconds, or rejects with the signal's reason when the signal aborts first. The timer does not keep the process
 * alive; the open socket of the request does.
 */
export function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', abort);
        resolve();
      },
      Math.ceil(Math.max(0, milliseconds)),
    ).unref();
    if (signal.aborted) abort();
    else {
      setMaxListeners(0, signal); // one call may wait for several sessions
      signal.addEventListener('abort', abort, { once: true });
    }
  });
}
