import {
  MemorySessionStore,
  type EnumerableStore,
  type PrincipalIndexedStore,
  type SessionRecord,
  type StoreCall,
  type SweepableStore,
} from 'nestjs-tessera';
import { TieredSessionStore, type TieredSessionStoreOptions } from 'nestjs-tessera/tiered';
import { aRecord } from '../../lib/testing/store-suite/records';
import { WatchedStore } from '../support/watched-store';

export const LEASE = 1000;
export const MAX_AGE = 60_000;

/** A call that nobody gives up. */
export const call: StoreCall = { signal: new AbortController().signal };

/** A real store in memory as one process reaches it: its calls are counted, and a test may stop or fail them. */
export class Tier extends WatchedStore implements PrincipalIndexedStore, EnumerableStore, SweepableStore {
  isClosed = false;
  declare readonly findByPrincipal: PrincipalIndexedStore['findByPrincipal'];
  declare readonly deleteByPrincipal: PrincipalIndexedStore['deleteByPrincipal'];
  declare readonly records: EnumerableStore['records'];
  declare readonly sweep: SweepableStore['sweep'];
  override readonly close = async (): Promise<void> => void (this.isClosed = true);

  constructor(override readonly inner = new MemorySessionStore()) {
    super(inner);
  }

  /** The same store as another process reaches it. */
  elsewhere(): Tier {
    return new Tier(this.inner);
  }

  /** Every call of these kinds hangs, or of any kind, until {@link heal}. What hangs never arrives. */
  hang(...operations: string[]): void {
    this.before = (operation) =>
      operations.length === 0 || operations.includes(operation) ? new Promise<void>(() => {}) : undefined;
  }

  fail(...operations: string[]): void {
    this.before = (operation) => {
      if (operations.length === 0 || operations.includes(operation)) throw new Error('connection refused');
    };
  }

  heal(): void {
    this.before = this.after = () => {};
  }

  /** Everything it holds, to come back with later. */
  async snapshot(): Promise<SessionRecord[]> {
    const records = [];
    for await (const record of this.inner.records(call)) records.push(record);
    return records;
  }

  async rollBackTo(records: readonly SessionRecord[]): Promise<void> {
    await this.forget();
    for (const record of records) await this.inner.insert(record);
  }

  async forget(): Promise<void> {
    for (const { id } of await this.snapshot()) await this.inner.delete(id);
  }
}

/** A process, with its own way to each tier. */
export interface Process {
  readonly store: TieredSessionStore;
  readonly fast: Tier;
  readonly durable: Tier;
}

type Options = Partial<TieredSessionStoreOptions>;

/** Some processes over the same two tiers, in a time that stands still until it is moved. */
export async function processes(count: number, options: Options = {}): Promise<Process[]> {
  const [fast, durable] = [new Tier(), new Tier()];
  return Promise.all(
    Array.from({ length: count }, () => startOver(fast.elsewhere(), durable.elsewhere(), options)),
  );
}

/** One more over these tiers. */
export async function startOver(fast: Tier, durable: Tier, options: Options = {}): Promise<Process> {
  const store = new TieredSessionStore({ lease: LEASE, maxAge: MAX_AGE, ...options, fast, durable });
  await store.prepare();
  fast.take();
  durable.take();
  return { store, fast, durable };
}

/** A session that is stored, and has a copy. */
export async function stored({ store }: Process, given: Partial<SessionRecord> = {}): Promise<SessionRecord> {
  const record = aRecord({ expiresAt: Date.now() + 3_600_000, ...given });
  await store.insert(record, call);
  expect(await store.find(record.id, call)).toEqual(record);
  return record;
}

export function useStandingTime(): void {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());
}

export const advance = (milliseconds: number): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

/** Lets everything happen that waits for neither time nor a door. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

/** Whether a promise has been kept or broken by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = (): void => void (settled = true);
  promise.then(note, note);
  await turns();
  return settled;
}
