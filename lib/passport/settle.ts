/**
 * Calls back when the work is done. What the callback itself throws is handed to it too, as strategies catch what a store throws at once: as a
 * rejection it would end the process.
 */
export function settle<T>(work: Promise<T>, done: (error: unknown, value?: T) => void): void {
  work.then((value) => done(null, value)).catch((error: unknown) => done(error));
}
