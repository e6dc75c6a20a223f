import { SessionStoreError } from './session.errors';

/**
 * Waits for a call of a store that has no deadline of its own, such as `prepare`.
 * @param timeout in milliseconds
 * @throws SessionStoreError when the call has not ended by then. It may still end later
 */
export async function inTime(operation: string, timeout: number, call: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new SessionStoreError(operation, `no answer within ${timeout} ms`));
    timer = setTimeout(fail, timeout);
  });
  await Promise.race([call, deadline]).finally(() => clearTimeout(timer));
}
