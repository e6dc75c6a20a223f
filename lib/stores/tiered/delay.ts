import { setMaxListeners } from 'node:events';

/**
 * Resolves when so many milliseconds have passed; rejects with the signal's reason when that comes first. It keeps no process alive:
 * whoever waits for an answer has a socket open.
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
      setMaxListeners(0, signal); // one call may wait for many sessions
      signal.addEventListener('abort', abort, { once: true });
    }
  });
}
