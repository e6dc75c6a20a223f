/** Receives measurements of the core. Must not throw. Durations are in seconds. */
export interface SessionMeter {
  /** A commit that wrote, or tried to. `error` is what it failed with. */
  commit(duration: number, error?: unknown): void;
  /** One call of the store. `error` is what it failed with. */
  storeOperation(operation: string, duration: number, error?: unknown): void;
  /** The store refused a conditional write, because another request wrote first. */
  conflict(): void;
}

/** Calls `run`, and reports how long its promise took. Returns that promise itself. */
export function timed<T>(
  run: () => Promise<T>,
  onAnswer: (duration: number, answer: T) => void,
  onFailure: (duration: number, error: unknown) => void,
): Promise<T> {
  const begun = performance.now();
  const duration = (): number => (performance.now() - begun) / 1000;
  const running = run();
  running.then(
    (answer) => onAnswer(duration(), answer),
    (error: unknown) => onFailure(duration(), error),
  );
  return running;
}
