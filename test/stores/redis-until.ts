import { setTimeout as pause } from 'node:timers/promises';

/** Waits for a condition, and not forever. @param cause why it is not met, for the error */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  patience = 20_000,
  cause: () => unknown = () => undefined,
): Promise<void> {
  const deadline = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`waited ${patience} ms in vain until ${what}`, { cause: cause() });
    await pause(10);
  }
}
