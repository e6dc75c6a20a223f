import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../core/clock';
import type { SessionId } from '../../core/session-token';
import { lockHolders } from './file-lock';
import { nullIfMissing, removeFolder } from './disk';
import { BACKGROUND_FILES_AT_ONCE, inBatches } from './in-batches';
import type { SessionFiles } from './session-files';
import { type ParsedName, type StoreLayout, parseName, shardsOf } from './store-layout';

/** Age from which the files of an unfinished attempt are removed, in milliseconds. */
const LEFTOVER_AGE = 60_000;
/** A folder's modification time is reliable when it is older than this, in milliseconds: file systems round it to up to two seconds. */
const TIMESTAMP_RESOLUTION = 3_000;

/** The state of a shard at its last scan; valid while the folder is unchanged. */
interface ShardState {
  readonly changedAt: bigint;
  /** Epoch milliseconds before which no session expires. */
  readonly nextDueAt: number;
}

/**
 * Finds and removes expired sessions, shard by shard.
 *
 * A shard costs one `stat` when it has not changed since a scan that found nothing due. Otherwise it costs one `stat` per file. Only files
 * that are due by their modification time are read.
 */
export class ExpiredSessions {
  readonly #shardStates = new Map<string, ShardState>();
  /** The shard at which the next sweep starts, so that an aborted sweep still makes progress. */
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
      this.#next = shards[(n + 1) % shards.length]!; // set first, so that a shard that fails does not block the others
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

  /** Removes a session if its file says that it is due. Unreadable files are removed, too. `false` when nothing was removed. */
  #remove(id: SessionId, now: number, signal: AbortSignal): Promise<boolean> {
    return this.files.change(id, signal, (found) => {
      if (found === null || found.kind === 'newer') return { kind: 'keep', result: false };
      if (found.kind === 'live' && found.record.expiresAt > now) return { kind: 'keep', result: false };
      return { kind: 'remove', lasting: false, result: true };
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

/** The modification time of a file or folder, in epoch milliseconds; `Infinity` when it is missing. */
async function modifiedAt(path: string): Promise<number> {
  return (await nullIfMissing(stat(path)))?.mtimeMs ?? Infinity;
}
