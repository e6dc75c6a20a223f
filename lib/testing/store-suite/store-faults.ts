/** @inline */
type Act = () => void | Promise<void>;

/**
 * How the suite makes the server of a store fail. Every part is optional; tests of missing parts are reported as skipped. Use a separate
 * server for these tests.
 */
export interface StoreFaults {
  /** Freezes the server, as `SIGSTOP` does: connections stay open and nothing answers. Requires {@link thaw}. */
  readonly freeze?: Act;
  /** Ends `freeze`. */
  readonly thaw?: Act;
  /** Kills the server, as `SIGKILL` does. Requires {@link restart}. */
  readonly kill?: Act;
  /** Restarts the server with the same address and data. Must resolve when the server answers. */
  readonly restart?: Act;
  /** Closes all connections and refuses new ones. Requires {@link heal}, like `hang` and `slow`; a proxy can do all three. */
  readonly refuse?: Act;
  /** Half-open connections: existing ones stay, new ones are accepted, and no data arrives. */
  readonly hang?: Act;
  /** Delays every answer by this many milliseconds. */
  readonly slow?: (milliseconds: number) => void | Promise<void>;
  /** Ends `refuse`, `hang` and `slow`. */
  readonly heal?: Act;
  /**
   * Whether all acknowledged writes survive `kill` and `restart`.
   * @default false: the server may restart empty or with older data
   */
  readonly durable?: boolean;
  /** Deadline of a call in these tests, in milliseconds. Choose several times what the server needs on a busy machine. @default 500 */
  readonly deadline?: number;
  /** How long the store may take to answer again after its server is back, in milliseconds. @default 20_000 */
  readonly recoveryTimeout?: number;
}

/** A failure of the server, and how to end it. */
export interface Disturbance {
  /** The server's state meanwhile, for titles. */
  readonly state: string;
  /** Whether the harness can cause it. */
  readonly possible: boolean;
  readonly begin: Act;
  readonly end: Act;
}

type Cause = 'freeze' | 'kill' | 'refuse' | 'hang' | 'slow';

/** Default of `deadline`, in milliseconds. */
export const CALL_DEADLINE = 500;

/** Default of `recoveryTimeout`, in milliseconds. */
export const RECOVERY_TIMEOUT = 20_000;

/** @throws Error when the harness can cause a failure and not end it */
export function disturbancesOf(faults: StoreFaults): Readonly<Record<Cause, Disturbance>> {
  const tooSlow = 2 * (faults.deadline ?? CALL_DEADLINE);
  const disturbance = (state: string, cause: Cause, cure: 'thaw' | 'restart' | 'heal'): Disturbance => {
    const possible = faults[cause] !== undefined;
    if (possible && faults[cure] === undefined)
      throw new Error(
        `The faults of this harness have ${cause}() and no ${cure}(). Add ${cure}(), which ends it.`,
      );
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
