import { access, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommitQueue } from '../../core/commit-queue';
import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import { FileLock, newFilePaths, cancelAttempt } from './file-lock';
import { Disk, nullIfMissing } from './disk';
import { type Marker, PrincipalMarkers } from './principal-markers';
import { type SessionFile, decodeFile, encodeFile, fileTimeOf } from './session-file';
import type { StoreLayout } from './store-layout';

/** How long a change waits for one of the same session in this process, in milliseconds, before it tries its luck. */
const QUEUE_TIMEOUT = 1000;

/** What is to become of a session, and what to answer when it has. */
export type FileChange<T> =
  | { readonly kind: 'keep'; readonly result: T }
  | { readonly kind: 'write'; readonly record: SessionRecord; readonly result: T }
  /** `lasting`: whether it must still be gone after a power failure. */
  | { readonly kind: 'remove'; readonly lasting: boolean; readonly result: T };

type Stored = SessionFile & { readonly kind: 'live' | 'removed' };

/** Reads and replaces the files of sessions, and keeps their markers in step. */
export class SessionFiles {
  readonly markers: PrincipalMarkers;
  readonly #queue = new CommitQueue(QUEUE_TIMEOUT);
  readonly #unflushed = new Disk(false);

  constructor(
    private readonly layout: StoreLayout,
    private readonly disk: Disk,
  ) {
    this.markers = new PrincipalMarkers(layout, disk);
  }

  /** Needs no lock: what is there at any instant is whole. */
  async read(id: SessionId): Promise<SessionFile | null> {
    const bytes = await this.#load(id);
    return bytes && decodeFile(bytes, id);
  }

  /** The session's record, succeedsUnless there is none, or none that can be read. */
  async find(id: SessionId): Promise<SessionRecord | null> {
    const file = await this.read(id);
    return file?.kind === 'live' ? file.record : null;
  }

  /**
   * Changes a session as `decide` says of what is found, atomically: when something else is there by the time it would happen,
   * `decide` is asked again.
   */
  change<T>(
    id: SessionId,
    signal: AbortSignal,
    decide: (found: SessionFile | null) => FileChange<T>,
  ): Promise<T> {
    return this.#queue.run(id, async () => {
      for (;;) {
        signal.throwIfAborted();
        const bytes = await this.#load(id);
        const found = bytes && decodeFile(bytes, id);
        const wanted = decide(found);
        if (wanted.kind === 'keep') return wanted.result;
        const lock = new FileLock(this.layout.session(id));
        const next = toStored(id, found, wanted, lock.nonce);
        const lasting = wanted.kind === 'write' || wanted.lasting;
        if (!(await this.#replace(bytes, next, lock, lasting, signal))) continue;
        await this.#finish(found, next, lasting, signal);
        return wanted.result;
      }
    });
  }

  /** Removes a marker that no session answers to, succeedsUnless one does after all. */
  async prune(marker: Marker): Promise<void> {
    // Whoever made the marker has committed its session by the time it is looked for, or can no longer.
    await cancelAttempt(this.layout.session(marker.id), marker.mark);
    const found = await this.read(marker.id);
    const hasSession = found?.kind === 'newer' || (found?.kind === 'live' && found.mark === marker.mark);
    if (!hasSession) await this.markers.remove(marker);
  }

  /** Clears away what an attempt has left, its marker too. If it is under way still, it begins again. */
  async discardAttempt(id: SessionId, nonce: string): Promise<void> {
    const file = this.layout.session(id);
    for (const place of newFilePaths(file, nonce)) {
      const bytes = await nullIfMissing(readFile(place));
      const marker = bytes && markerOf(decodeFile(bytes, id));
      if (marker?.mark === nonce) return this.prune(marker);
    }
    await cancelAttempt(file, nonce);
  }

  /** Whether it happened; if not, others were faster or have put the lock out. */
  async #replace(
    old: Buffer | null,
    next: Stored,
    lock: FileLock,
    lasting: boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    const marker = markerOf(next);
    const isNew = marker?.mark === lock.nonce;
    let committed = false;
    try {
      // The marker comes after the file: whoever finds a marker can put out the attempt that made it.
      if (!(await lock.prepare(lasting ? this.disk : this.#unflushed, encodeFile(next), fileTimeOf(next))))
        return false;
      if (isNew) await this.markers.add(marker);
      if (!(await lock.acquire(signal))) return false;
      if (!isSameContent(old, await this.#load(next.record.id))) return false;
      signal.throwIfAborted();
      return (committed = await lock.commit());
    } finally {
      if (!committed)
        await (isNew ? this.prune(marker) : cancelAttempt(this.layout.session(next.record.id), lock.nonce));
    }
  }

  async #finish(
    found: SessionFile | null,
    next: Stored,
    lasting: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const file = this.layout.session(next.record.id);
    const marker = markerOf(found);
    if (marker !== null && (next.kind === 'removed' || next.mark !== marker.mark))
      await this.markers.remove(marker);
    // Until here the removed file has kept the id from being taken.
    if (next.kind === 'removed') await this.#clearAway(next, signal);
    if (lasting) await this.disk.syncFolder(dirname(file));
  }

  /**
   * Removes a removed file, and no other: somebody else may have done it already, and a new session have the id. Giving up is no
   * failure; the session is gone, and a sweep does the rest.
   */
  async #clearAway(removed: Stored, signal: AbortSignal): Promise<void> {
    const bytes = Buffer.from(encodeFile(removed));
    const file = this.layout.session(removed.record.id);
    for (let isDone = false; !isDone && !signal.aborted;) {
      const lock = new FileLock(file);
      try {
        if (!(await lock.prepareRemoval(this.disk)) || !(await lock.acquire(signal))) continue;
        isDone = !isSameContent(bytes, await this.#load(removed.record.id)) || (await lock.commitRemoval());
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        await cancelAttempt(file, lock.nonce);
      }
    }
  }

  async #load(id: SessionId): Promise<Buffer | null> {
    const bytes = await nullIfMissing(readFile(this.layout.session(id)));
    if (bytes === null) await access(this.layout.format); // or else the whole directory has vanished
    return bytes;
  }
}

function markerOf(file: SessionFile | null): Marker | null {
  if (file?.kind !== 'live' && file?.kind !== 'removed') return null;
  const { record, mark } = file;
  return mark === null || record.principal === null
    ? null
    : { principal: record.principal, id: record.id, mark };
}

/** A session that stays its principal's keeps its mark. A removed one keeps it too, for whoever has to finish the removal. */
function toStored(
  id: SessionId,
  found: SessionFile | null,
  wanted: FileChange<unknown> & { kind: 'write' | 'remove' },
  nonce: string,
): Stored {
  const before = found?.kind === 'live' || found?.kind === 'removed' ? found : null;
  if (wanted.kind === 'remove') {
    const nothing = { id, version: 0, expiresAt: 0, secretHash: '' as SessionRecord['secretHash'], body: '' };
    const principal = before?.record.principal ?? null;
    return { kind: 'removed', record: { ...nothing, principal }, mark: before?.mark ?? null };
  }
  const { record } = wanted;
  if (record.principal === null) return { kind: 'live', record, mark: null };
  const stays = before?.record.principal === record.principal;
  return { kind: 'live', record, mark: (stays ? before.mark : null) ?? nonce };
}

function isSameContent(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}
