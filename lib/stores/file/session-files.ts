import { access, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeyedQueue } from '../../core/keyed-queue';
import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import { FileLock, attemptPaths, cancelAttempt } from './file-lock';
import { type Disk, isFullDisk, nullIf, nullIfMissing } from './disk';
import { type Marker, PrincipalMarkers } from './principal-markers';
import { type MarkedSession, type SessionFile, decodeFile, encodeFile, fileTimeOf } from './session-file';
import type { SpareFolders } from './spare-folders';
import type { StoreLayout } from './store-layout';

/** How long a change waits for an earlier change of the same session in this process, in milliseconds. Then it competes for the lock. */
const QUEUE_TIMEOUT = 1000;

/** What to do with a session, and the result to return afterwards. */
export type FileChange<T> =
  | { readonly kind: 'keep'; readonly result: T }
  | { readonly kind: 'write'; readonly record: SessionRecord; readonly result: T }
  /** `lasting`: whether the removal must survive a power failure. */
  | { readonly kind: 'remove'; readonly lasting: boolean; readonly result: T };

/** What an attempt starts from. */
interface Seen {
  readonly id: SessionId;
  /** `null` when there is no file. */
  readonly bytes: Buffer | null;
  readonly file: SessionFile | null;
}

/** Reads and replaces session files, and updates their markers. */
export class SessionFiles {
  readonly markers: PrincipalMarkers;
  readonly #queue = new KeyedQueue(QUEUE_TIMEOUT);

  constructor(
    private readonly layout: StoreLayout,
    private readonly disk: Disk,
    private readonly spares: SpareFolders,
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
        const seen: Seen = { id, bytes, file: bytes && decodeFile(bytes, id) };
        const wanted = decide(seen.file);
        if (wanted.kind === 'keep') return wanted.result;
        const isDone =
          wanted.kind === 'write'
            ? await this.#write(seen, wanted.record, signal)
            : await this.#remove(seen, wanted.lasting, signal);
        if (isDone) return wanted.result;
      }
    });
  }

  /** Removes a marker that no session refers to. Checks again before it removes. */
  async prune(marker: Marker): Promise<void> {
    // After this, the attempt that made the marker has committed its session or never will.
    await cancelAttempt(this.layout.session(marker.id), marker.mark, this.spares);
    const found = await this.read(marker.id);
    const hasSession = found?.kind === 'newer' || (found?.kind === 'live' && found.mark === marker.mark);
    if (!hasSession) await this.markers.remove(marker);
  }

  /** Removes the files of an unfinished attempt, and its marker. If the attempt is still running, it starts over. */
  async discardAttempt(id: SessionId, nonce: string): Promise<void> {
    const file = this.layout.session(id);
    for (const path of attemptPaths(file, nonce, this.spares)) {
      const bytes = await nullIf(['ENOENT', 'EISDIR'], readFile(path));
      const marker = bytes && markerOf(decodeFile(bytes, id));
      if (marker !== null) await this.prune(marker);
    }
    await cancelAttempt(file, nonce, this.spares);
  }

  /** `false` when another attempt committed first or canceled this one. */
  async #write(seen: Seen, record: SessionRecord, signal: AbortSignal): Promise<boolean> {
    const file = this.layout.session(record.id);
    const lock = new FileLock(file, this.spares);
    const next: MarkedSession = { record, mark: markOf(seen.file, record, lock.nonce) };
    const marker = markerOf({ kind: 'live', ...next });
    const isNew = marker?.mark === lock.nonce;
    let committed = false;
    try {
      // The marker is written after the file, so that the reader of a marker can cancel its attempt.
      if (!(await lock.prepare(this.disk, encodeFile(next), fileTimeOf(next)))) return false;
      if (isNew) await this.markers.add(marker);
      if (!(await lock.acquire(signal)) || !(await this.#isCurrent(seen))) return false;
      signal.throwIfAborted();
      committed = await lock.commit();
    } finally {
      if (!committed) await (isNew ? this.prune(marker) : cancelAttempt(file, lock.nonce, this.spares));
    }
    if (!committed) return false;
    const before = markerOf(seen.file);
    if (before !== null && before.mark !== next.mark) await this.markers.remove(before);
    await this.disk.syncFolder(dirname(file));
    return true;
  }

  /** The same for a removal, which works on a full disk, too. */
  async #remove(seen: Seen, lasting: boolean, signal: AbortSignal): Promise<boolean> {
    let isRemoved: boolean;
    try {
      isRemoved = await this.#attemptRemoval(seen, signal, (lock) => lock.prepareRemoval(this.disk));
    } catch (full) {
      if (!isFullDisk(full)) throw full;
      const prepare = async (lock: FileLock): Promise<boolean> => {
        if (await lock.prepareRemovalFromSpare(signal)) return true;
        throw full;
      };
      isRemoved = await this.spares.inTurn(() => this.#attemptRemoval(seen, signal, prepare));
    }
    if (isRemoved && lasting) await this.disk.syncFolder(dirname(this.layout.session(seen.id)));
    return isRemoved;
  }

  /** The removed file stays beside the lock until its marker is gone. If this process is killed before, a sweep finds both. */
  async #attemptRemoval(
    seen: Seen,
    signal: AbortSignal,
    prepare: (lock: FileLock) => Promise<boolean>,
  ): Promise<boolean> {
    const lock = new FileLock(this.layout.session(seen.id), this.spares);
    const marker = markerOf(seen.file);
    try {
      if (!(await prepare(lock)) || !(await lock.acquire(signal)) || !(await this.#isCurrent(seen)))
        return false;
      signal.throwIfAborted();
      if (!(await lock.commitRemoval())) return false;
      if (marker !== null) await this.markers.remove(marker);
      return true;
    } finally {
      await lock.endRemoval();
    }
  }

  /** Whether the session is as it was seen. With the lock held it stays so. */
  async #isCurrent({ id, bytes }: Seen): Promise<boolean> {
    const now = await this.#load(id);
    return bytes === null || now === null ? bytes === now : bytes.equals(now);
  }

  async #load(id: SessionId): Promise<Buffer | null> {
    const bytes = await nullIfMissing(readFile(this.layout.session(id)));
    if (bytes === null) await access(this.layout.format); // rejects when the whole directory is missing
    return bytes;
  }
}

function markerOf(file: SessionFile | null): Marker | null {
  if (file?.kind !== 'live') return null;
  const { record, mark } = file;
  return mark === null || record.principal === null
    ? null
    : { principal: record.principal, id: record.id, mark };
}

/** The mark of a session's next record. It stays while the principal stays the same. */
function markOf(found: SessionFile | null, { principal }: SessionRecord, nonce: string): string | null {
  if (principal === null) return null;
  const stays = found?.kind === 'live' && found.record.principal === principal;
  return (stays ? found.mark : null) ?? nonce;
}
