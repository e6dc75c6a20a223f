/** Returns the current time in epoch milliseconds. All code reads the time through it, so that tests can control the time. */
export type Clock = () => number;

/** The system clock. */
export const systemClock: Clock = () => Date.now();

/** Maximum delay of a Node timer, in milliseconds. */
export const TIMER_LIMIT = 2 ** 31 - 1;
