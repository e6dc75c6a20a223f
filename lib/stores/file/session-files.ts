import { access, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeyedQueue } from '../../core/keyed-queue';
import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import { FileLock, newFilePaths, cancelAttempt } from './file-lock';
import { Disk, nullIfMissing } from './disk';
import { type Marker, PrincipalMarkers } from './principal-markers';
import { type SessionFile, decodeFile, encodeFile, fileTimeOf } from './session-file';
import type { StoreLayout } from './store-layout';

/** How long a change waits for an earlier change of the same session in this process, in milliseconds. Then it competes for the lock. */
const QUEUE_TIMEOUT = 1000;

/** What to do with a session, and the result to return afterwards. */
export type FileChange<T> =
  | { readonly kind: 'keep'; readonly result: T }
  | { readonly kind: 'write'; readonly record: SessionRecord; readonly result: T }
  /** `lasting`: whether the removal must survive a power failure. */
  | { readonly kind: 'remove'; readonly lasting: boolean; readonly result: T };

type Stored = SessionFile & { readonly kind: 'live' | 'removed' };

/** Reads and replaces session files, and updates their markers. */
export class SessionFiles {
  readonly markers: PrincipalMarkers;
  readonly #queue = new KeyedQueue(QUEUE_TIMEOUT);
  readonly #unflushed = new Disk(false);

  constructor(
    private readonly layout: StoreLayout,
    private readonly disk: Disk,
  ) {
    this.markers = new PrincipalMarkers(layout, disk);
  }

  /** Needs no lock: a file is replaced atomically, so it is complete at any instant. */
  async read(id: SessionId): Promise<SessionFile | null> {
    const bytes = await this.#load(id);
    return bytes && decodeFile(bytes, id);
  }

  /** The session's record; `null` when there is none, or none that can be read. */
  async find(id: SessionId): Promise<SessionRecord | null> {
    const file = await this.read(id);
    return file?.kind === 'live' ? file.record : null;
  }

  /**
   * Reads the file, calls `decide`, and writes its decision, atomically. When the file has changed in between, reads it and calls
   * `decide` again.
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

  /** Removes a marker that no session refers to. Checks again before it removes. */
  async prune(marker: Marker): Promise<void> {
    // After this, the attempt that made the marker has committed its session or never will.
    await cancelAttempt(this.layout.session(marker.id), marker.mark);
    const found = await this.read(marker.id);
    const hasSession = found?.kind === 'newer' || (found?.kind === 'live' && found.mark === marker.mark);
    if (!hasSession) await this.markers.remove(marker);
  }

  /** Removes the files of an unfinished attempt, and its marker. If the attempt is still running, it starts over. */
  async discardAttempt(id: SessionId, nonce: string): Promise<void> {
    const file = this.layout.session(id);
    for (const place of newFilePaths(file, nonce)) {
      const bytes = await nullIfMissing(readFile(place));
      const marker = bytes && markerOf(decodeFile(bytes, id));
      if (marker?.mark === nonce) return this.prune(marker);
    }
    await cancelAttempt(file, nonce);
  }

  /** `false` when another attempt committed first or canceled this one. */
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
      // The marker is written after the file, so that the reader of a marker can cancel its attempt.
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
    // The removed file has reserved the id until here.
    if (next.kind === 'removed') await this.#clearAway(next, signal);
    if (lasting) await this.disk.syncFolder(dirname(file));
  }

  /**
   * Unlinks the file of a removed session, and no other: another process may have unlinked it already, and a new session may have the id.
   * An aborted call is not a failure: the session is removed, and a sweep unlinks the file.
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
    if (bytes === null) await access(this.layout.format); // rejects when the whole directory is missing
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

/** Keeps the mark while the principal stays the same. A removed session keeps it, too: finishing the removal needs it. */
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
