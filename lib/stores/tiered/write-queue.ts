import type { SessionRecord } from '../../core/session-record';
import type { SessionStore } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import { StoreClient } from '../../core/store-client';
import { isSameGeneration, writeLate } from './late-write';
import { BACKGROUND_TIMEOUT, type TieredOptions } from './tiered.options';

/** A session with a change that is not written yet. */
interface QueuedWrite {
  record: SessionRecord;
  /** The version that the durable tier is expected to have. */
  base: number;
}

/** How many sessions are written at once. */
const WRITES_AT_ONCE = 10;

/** Longest pause between retries while the durable tier fails, in milliseconds. */
const LONGEST_RETRY_PAUSE = 30_000;

/** Pause between retries while closing, in milliseconds. */
const RETRY_AT_CLOSE = 100;

/** Changes that are acknowledged and not yet in the durable tier: the latest record of each session. All share one timer. */
export class WriteQueue {
  readonly #waiting = new Map<SessionId, QueuedWrite>();
  readonly #writing = new Map<SessionId, Promise<boolean>>();
  readonly #durable: SessionStore;
  readonly #client: StoreClient;
  #admitted = 0;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #isRunning = false;

  /** @param reject called with a record that the durable tier refused, because the session has ended or was renewed */
  constructor(
    private readonly options: TieredOptions,
    private readonly reject: (record: SessionRecord) => Promise<unknown>,
  ) {
    this.#durable = options.durable;
    this.#client = new StoreClient(options.durable, BACKGROUND_TIMEOUT, () => {});
  }

  get size(): number {
    return this.#waiting.size;
  }

  get(id: SessionId): SessionRecord | undefined {
    return this.#waiting.get(id)?.record;
  }

  /** Reserves a place for a record that is being acknowledged. Must be followed by {@link enqueue}. `false` when the queue is full or closed. */
  reservePlace(id: SessionId): boolean {
    if (this.#closed) return false;
    if (!this.#waiting.has(id) && this.#waiting.size + this.#admitted >= this.options.queueLimit)
      return false;
    this.#admitted++;
    return true;
  }

  /** Adds the record to the reserved place; `null` releases the place. */
  enqueue(record: SessionRecord | null, base: number): void {
    this.#admitted--;
    if (record === null) return;
    const known = this.#waiting.get(record.id);
    if (known === undefined) this.#waiting.set(record.id, { record, base });
    else if (known.record.version <= record.version || !isSameGeneration(known.record, record))
      known.record = record;
    this.#schedule();
  }

  /**
   * Writes the waiting change of one session. `false` when the durable tier refused it.
   * @throws SessionStoreError; the change stays in the queue
   */
  async flush(id: SessionId): Promise<boolean> {
    // A write in progress may have an older record.
    for (let other = this.#writing.get(id); other !== undefined; other = this.#writing.get(id))
      await other.catch(() => false);
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return true;
    const writing = this.#write(id, waiting).finally(() => this.#writing.delete(id));
    this.#writing.set(id, writing);
    return writing;
  }

  /**
   * Writes all changes that wait at this moment.
   * @throws SessionStoreError after it has tried all
   */
  async drain(): Promise<void> {
    const ids = [...this.#waiting.keys()];
    const failures: unknown[] = [];
    const lane = async (): Promise<void> => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop())
        await this.flush(id).catch((error: unknown) => failures.push(error));
    };
    await Promise.all(Array.from({ length: WRITES_AT_ONCE }, lane));
    if (failures.length > 0) throw failures[0];
  }

  /** Accepts changes again after {@link close}. */
  open(): void {
    this.#closed = false;
    this.#schedule();
  }

  /** Accepts no more changes and writes the waiting ones, for at most `milliseconds`. Resolves with the number of sessions left. */
  async close(milliseconds: number): Promise<number> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      const end = (): void => resolve(void (isOver = true));
      timer = setTimeout(end, milliseconds);
    });
    const empty = async (): Promise<void> => {
      while (this.size > 0 && !isOver) await this.drain().catch(() => pause(RETRY_AT_CLOSE));
    };
    await Promise.race([empty(), over]);
    clearTimeout(timer);
    return this.size;
  }

  async #write(id: SessionId, waiting: QueuedWrite): Promise<boolean> {
    const { record, base } = waiting;
    const outcome = await this.#client.call('update', id, (call) =>
      writeLate(this.#durable, record, base, record, call),
    );
    const isThere = outcome !== 'refused';
    if (isThere) waiting.base = record.version;
    // A newer record has arrived in the meantime, and stays in the queue.
    if (waiting.record !== record) return isThere;
    if (this.#waiting.get(id) === waiting) this.#waiting.delete(id);
    if (!isThere) await this.reject(record);
    return isThere;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isRunning || this.#closed || this.size === 0) return;
    const { flushEvery } = this.options;
    const longest = Math.max(flushEvery, LONGEST_RETRY_PAUSE);
    const wait = Math.min(longest, flushEvery * 2 ** Math.min(this.#failures, 16));
    this.#timer = setTimeout(() => void this.#run(), wait * (0.75 + Math.random() / 4)).unref();
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#isRunning = true;
    try {
      await this.drain();
      this.#failures = 0;
    } catch {
      this.#failures++;
    }
    this.#isRunning = false;
    this.#schedule();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
