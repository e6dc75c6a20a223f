import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../core/clock';
import type { SessionId } from '../../core/session-token';
import { lockHolders } from './file-lock';
import { nullIfMissing, removeFolder } from './disk';
import { BACKGROUND_FILES_AT_ONCE, inBatches } from './in-batches';
import type { SessionFiles } from './session-files';
import { type ParsedName, type StoreLayout, parseName, shardsOf } from './store-layout';

/** How old what an attempt has left must be before it is cleared away, in milliseconds. */
const LEFTOVER_AGE = 60_000;
/** How long a folder must have been left alone for its time to tell that, in milliseconds: file systems count in up to two seconds. */
const TIMESTAMP_RESOLUTION = 3_000;

/** What is known of a shard, as long as nobody touches it. */
interface ShardState {
  readonly changedAt: bigint;
  /** Nothing is due before it. */
  readonly nextDueAt: number;
}

/**
 * Finds and removes expired sessions, shard after shard.
 *
 * A shard costs one look at its folder when nothing has changed there since it was last found to hold nothing due; else one at every
 * file's date. Files are read only when they are due by that.
 */
export class ExpiredSessions {
  readonly #shardStates = new Map<string, ShardState>();
  /** Where the next sweep begins, so that one that is given up is not in vain. */
  #next = '';

  constructor(
    private readonly layout: StoreLayout,
    private readonly files: SessionFiles,
  ) {}

  async sweep(now: number, limit: number, signal: AbortSignal): Promise<number> {
    const shards = await shardsOf(this.layout.sessions);
    const begin = Math.max(
      0,
      shards.findIndex((shard) => shard >= this.#next),
    );
    let removed = 0;
    for (let n = begin; n < begin + shards.length && removed < limit; n++) {
      signal.throwIfAborted();
      const shard = shards[n % shards.length]!;
      this.#next = shards[(n + 1) % shards.length]!; // moved first: a shard that fails must not keep others from their turn
      const due = await this.#dueIn(shard, now, signal);
      try {
        removed += await this.#removeSome(due, limit - removed, now, signal);
      } finally {
        if (signal.aborted || removed >= limit) this.#next = shard; // there is more to remove
      }
    }
    return removed;
  }

  async #removeSome(due: SessionId[], limit: number, now: number, signal: AbortSignal): Promise<number> {
    let removed = 0;
    for (let at = 0; at < due.length && removed < limit;) {
      const some = due.slice(at, (at += limit - removed));
      const gone = await inBatches(
        some,
        signal,
        (id) => this.#remove(id, now, signal),
        BACKGROUND_FILES_AT_ONCE,
      );
      removed += gone.filter(Boolean).length;
    }
    return removed;
  }

  async #dueIn(shard: string, now: number, signal: AbortSignal): Promise<SessionId[]> {
    const folder = join(this.layout.sessions, shard);
    const changedAt = (await stat(folder, { bigint: true })).mtimeNs;
    const known = this.#shardStates.get(shard);
    if (known?.changedAt === changedAt && known.nextDueAt > now) return [];

    const isSettled = Number(changedAt / 1_000_000n) < systemClock() - TIMESTAMP_RESOLUTION;
    const names = (await readdir(folder)).map(parseName).filter((name) => name !== null);
    const leftovers = names.filter(({ suffix }) => suffix !== '');
    await inBatches(leftovers, signal, (name) => this.#clear(name));

    const sessions = names.filter(({ suffix }) => suffix === '');
    const times = await inBatches(sessions, signal, async ({ id }) => modifiedAt(this.layout.session(id)));
    const due = sessions.filter((_, n) => times[n]! <= now).map(({ id }) => id);
    const nextDueAt = times.reduce((a, b) => Math.min(a, b), Infinity);
    if (isSettled && leftovers.length === 0) this.#shardStates.set(shard, { changedAt, nextDueAt });
    else this.#shardStates.delete(shard);
    return due;
  }

  /** Whether it was there, and due by what its file says now. What cannot be read is of no use to anybody. */
  #remove(id: SessionId, now: number, signal: AbortSignal): Promise<boolean> {
    return this.files.change(id, signal, (found) => {
      if (found === null || found.kind === 'newer') return { kind: 'keep', result: false };
      if (found.kind === 'live' && found.record.expiresAt > now) return { kind: 'keep', result: false };
      return { kind: 'remove', lasting: false, result: found.kind !== 'removed' };
    });
  }

  async #clear({ id, suffix }: ParsedName): Promise<void> {
    const file = this.layout.session(id);
    if ((await modifiedAt(`${file}.${suffix}`)) > systemClock() - LEFTOVER_AGE) return;
    if (suffix !== 'lock') return this.files.discardAttempt(id, suffix);
    for (const holder of await lockHolders(file)) await this.files.discardAttempt(id, holder);
    await removeFolder(`${file}.${suffix}`);
  }
}

/** What a file or folder is dated, in epoch milliseconds; `Infinity` when it has gone meanwhile. */
async function modifiedAt(path: string): Promise<number> {
  return (await nullIfMissing(stat(path)))?.mtimeMs ?? Infinity;
}
