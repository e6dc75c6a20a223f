/** Resolves like the promise, or rejects as soon as the signal aborts. What the promise does later is ignored. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => {
      promise.catch(() => {});
      reject(signal.reason as Error);
    };
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    const ended = (): void => signal.removeEventListener('abort', giveUp);
    promise.then(
      (value) => (ended(), resolve(value)),
      (error: unknown) => (ended(), reject(error as Error)),
    );
  });
}
