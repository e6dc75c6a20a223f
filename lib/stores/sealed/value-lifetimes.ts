import type { Lifespan } from '../../core/session-expiry';

/** Whether one of the two limits comes earlier in `limits` than in `others`. */
export function isShorter(limits: Lifespan, others: Lifespan): boolean {
  const { deadline, idleTimeout } = limits;
  return deadline < others.deadline || (idleTimeout ?? Infinity) < (others.idleTimeout ?? Infinity);
}
