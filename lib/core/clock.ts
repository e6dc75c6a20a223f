/** The current instant in epoch milliseconds. The one place time enters the library; tests pass a clock they move. */
export type Clock = () => number;

/** The machine's clock. */
export const systemClock: Clock = Date.now;
