import type { SessionStore, StoreCall } from '../core/session-store';
import { InterceptedStore, type StoreOperation } from './intercepted-store';

/** How often a fault happens. */
export interface FaultOptions {
  /** The number of calls that it disturbs. @default all until `heal()` */
  readonly times?: number;
}

interface Fault {
  /** `undefined` for every call for sessions. */
  readonly operation: StoreOperation | undefined;
  /** How often it will happen yet. */
  left: number;
  readonly disturb: <T>(run: () => Promise<T>, call: StoreCall | undefined) => Promise<T>;
}

/** How long a call that hangs keeps the process alive at most, in milliseconds. */
const LONGEST_WAIT = 60_000;

/**
 * A store over another one, with faults that a test begins and ends. Without a fault it does what that store does, and it has the same
 * capabilities and limits.
 *
 * ```ts
 * const store = new FaultyStore(new MemorySessionStore());
 * store.fail('find'); // a request that uses its session is answered with 503
 * store.heal();
 * ```
 *
 * A fault disturbs one operation; without an operation, every call but `prepare` and `close`. Of several faults for a call the earliest
 * happens; once it has happened as often as told, the next. A TypeError is thrown for an operation that the store does not have, and for
 * `watchEnds`, which is no call.
 */
export class FaultyStore<S extends SessionStore = SessionStore> extends InterceptedStore<S> {
  /** The operations that were called, in order, failed ones included. A test may empty it: `store.calls.length = 0`. */
  readonly calls: StoreOperation[] = [];
  #faults: Fault[] = [];
  /** End what hangs. */
  #releases: (() => void)[] = [];

  /** Calls fail, and do not reach the store. */
  fail(operation?: StoreOperation, options?: FaultOptions): void {
    this.#begin(operation, options, () => Promise.reject(faultOf('ECONNREFUSED')));
  }

  /** Calls take effect, but their answer is lost: the caller gets an error. */
  loseAnswer(operation?: StoreOperation, options?: FaultOptions): void {
    this.#begin(operation, options, async (run) => {
      await run();
      throw faultOf('ECONNRESET');
    });
  }

  /**
   * Calls are not answered, so that they fail after the module's `storeTimeout`. At `heal()` they reach the store, as calls do to a server that
   * was frozen. A call keeps the process alive while its caller waits, at most a minute.
   */
  hang(operation?: StoreOperation, options?: FaultOptions): void {
    const healed = new Promise<void>((resolve) => this.#releases.push(resolve));
    this.#begin(operation, options, (run, call) => whileAlive(healed, call?.signal).then(run));
  }

  /** Ends all faults. */
  heal(): void {
    this.#faults = [];
    for (const release of this.#releases.splice(0)) release();
  }

  protected override intercept<T>(
    operation: StoreOperation,
    _id: string,
    run: () => Promise<T>,
    call: StoreCall | undefined,
  ): Promise<T> {
    this.calls.push(operation);
    const fault = this.#faults.find((each) => isMeant(operation, each) && each.left > 0);
    if (fault === undefined) return run();
    fault.left--;
    return fault.disturb(run, call);
  }

  #begin(
    operation: StoreOperation | undefined,
    { times = Infinity }: FaultOptions = {},
    disturb: Fault['disturb'],
  ): void {
    const isCall = operation === undefined || typeof this.inner[operation as keyof S] === 'function';
    if (!isCall || (operation as string) === 'watchEnds')
      throw new TypeError(
        `FaultyStore cannot disturb '${operation}': it is no call of this store, so that the fault would never happen.`,
      );
    this.#faults.push({ operation, left: times, disturb });
  }
}

function isMeant(operation: StoreOperation, fault: Fault): boolean {
  if (fault.operation !== undefined) return fault.operation === operation;
  return operation !== 'prepare' && operation !== 'close';
}

/**
 * Keeps the process alive while the caller waits, as the socket to a frozen server does. Otherwise a test without any socket would end
 * before the deadline of the call, whose timer keeps nothing alive.
 */
function whileAlive(healed: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const timer = setTimeout(() => {}, LONGEST_WAIT);
  const letGo = (): void => clearTimeout(timer);
  if (signal?.aborted === true) letGo();
  signal?.addEventListener('abort', letGo, { once: true });
  return healed.finally(letGo);
}

function faultOf(code: 'ECONNREFUSED' | 'ECONNRESET'): Error {
  return Object.assign(new Error(`${code}: a fault of FaultyStore`), { code });
}
