type Act = () => void | Promise<void>;

/**
 * How the suite disturbs the server of a store, so that its users learn what they would live through. Every part is optional;
 * the tests of what is missing are shown as skipped. Give it a server of its own.
 */
export interface StoreFaults {
  /** Stops the server where it stands, as `SIGSTOP` does: connections stay open, nothing answers. Needs {@link thaw}. */
  readonly freeze?: Act;
  readonly thaw?: Act;
  /** Ends the server at once, as `SIGKILL` does. Needs {@link restart}. */
  readonly kill?: Act;
  /** Starts it again where it was, with whatever it had written down. Resolves when it answers. */
  readonly restart?: Act;
  /** Cuts all connections and lets nobody connect. Needs {@link heal}, like the two that follow: a proxy does all of them. */
  readonly refuse?: Act;
  /** Half-open: connections stay and new ones are accepted, and nothing arrives. */
  readonly hang?: Act;
  /** Lets every answer come so many milliseconds later. */
  readonly slow?: (milliseconds: number) => void | Promise<void>;
  /** Ends `refuse`, `hang` and `slow`. */
  readonly heal?: Act;
  /**
   * Whether every write that was acknowledged is there after `kill` and `restart`.
   * @default false: the server may come back empty, or older than it was
   */
  readonly durable?: boolean;
  /** How long a call may take in these tests, in milliseconds: some times what the server needs on a busy machine. @default 500 */
  readonly deadline?: number;
  /** How long the store may take to answer again when its server is back, in milliseconds. @default 20_000 */
  readonly recoveryTimeout?: number;
}

/** One thing that can happen to a server, and how it ends. */
export interface Disturbance {
  /** What the server is like meanwhile. */
  readonly state: string;
  /** Whether the harness says how. */
  readonly possible: boolean;
  readonly begin: Act;
  readonly end: Act;
}

type Cause = 'freeze' | 'kill' | 'refuse' | 'hang' | 'slow';

/** Longest that a call may take, in milliseconds, where the harness does not say. */
export const CALL_DEADLINE = 500;

/** Longest that a store may need to find its server again. */
export const RECOVERY_TIMEOUT = 20_000;

/** @throws Error for a harness that can begin what it cannot end */
export function disturbancesOf(faults: StoreFaults): Readonly<Record<Cause, Disturbance>> {
  const tooSlow = 2 * (faults.deadline ?? CALL_DEADLINE);
  const disturbance = (state: string, cause: Cause, cure: 'thaw' | 'restart' | 'heal'): Disturbance => {
    const possible = faults[cause] !== undefined;
    if (possible && faults[cure] === undefined)
      throw new Error(`The faults of this harness have ${cause}() without ${cure}(), which ends it.`);
    return { state, possible, begin: () => faults[cause]!(tooSlow), end: () => faults[cure]!() };
  };
  return {
    freeze: disturbance('its server is frozen', 'freeze', 'thaw'),
    kill: disturbance('its server is dead', 'kill', 'restart'),
    refuse: disturbance('it is refused connections', 'refuse', 'heal'),
    hang: disturbance('its connections are half-open', 'hang', 'heal'),
    slow: disturbance('answers come too late', 'slow', 'heal'),
  };
}
