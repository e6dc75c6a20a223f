import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pacer } from '../../core/pacer';
import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';
import type {
  EnumerableStore,
  PreparedStore,
  PrincipalIndexedStore,
  SweepableStore,
} from '../../core/store-capabilities';
import { type SessionId, isSessionId } from '../../core/session-token';
import { SessionError, SessionStoreError } from '../../core/session.errors';
import { prepareDirectory } from './directory-check';
import { Disk } from './disk';
import { ExpiredSessions } from './expired-sessions';
import { toFileError } from './file-failure';
import { FILES_AT_ONCE, inBatches } from './in-batches';
import { PrincipalSessions } from './principal-sessions';
import type { SessionFile } from './session-file';
import { type FileChange, SessionFiles } from './session-files';
import { SpareFolders } from './spare-folders';
import { StoreLayout, parseName, shardsOf } from './store-layout';

/** Options of {@link FileSessionStore}. */
export interface FileSessionStoreOptions {
  /**
   * Whether acknowledged writes survive a power failure. `false` does not wait for the disk, and may lose the latest writes when the
   * machine goes down (not when only the process does). Use it for development and tests.
   * @default true
   */
  readonly durable?: boolean;
  /**
   * Accepts a directory below a folder that other users can write, as the mount point of a Kubernetes volume is for the group `fsGroup`
   * or for all, or below a folder or a symbolic link that belongs to another user than root. Each of these users can put another
   * directory in its place, and with it sessions of any user.
   * @default false
   */
  readonly dangerouslyTrustWritableParents?: boolean;
}

/**
 * Stores sessions in a directory, one file each. For applications on one machine without a database: any number of processes may
 * share the directory, if its file system is local. Tested on Linux; written for macOS and Windows, but never run there.
 *
 * A read opens one file. A change writes a complete new file, flushes it, and replaces the old file atomically, even if processes are
 * stopped or killed at any point; see `file-lock.ts`. A removal writes nothing, so that it works on a full disk.
 */
export class FileSessionStore
  implements SessionStore, PrincipalIndexedStore, EnumerableStore, SweepableStore, PreparedStore
{
  readonly #trustsParents: boolean;
  readonly #layout: StoreLayout;
  readonly #disk: Disk;
  readonly #spares: SpareFolders;
  readonly #files: SessionFiles;
  readonly #principals: PrincipalSessions;
  readonly #expired: ExpiredSessions;

  /**
   * @param directory holds nothing but sessions. {@link prepare} creates it, accessible to this user only. Relative paths start at the
   * working directory.
   * @throws SessionError `SESSION_OPTIONS_INVALID`
   */
  constructor(
    directory: string,
    { durable = true, dangerouslyTrustWritableParents = false }: FileSessionStoreOptions = {},
  ) {
    if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        `directory of FileSessionStore must be a path, got ${JSON.stringify(directory)}; give the path of a directory that holds nothing but sessions.`,
      );
    }
    this.#trustsParents = dangerouslyTrustWritableParents;
    this.#layout = new StoreLayout(resolve(directory));
    this.#disk = new Disk(durable);
    this.#spares = new SpareFolders(this.#layout.spare, this.#disk);
    this.#files = new SessionFiles(this.#layout, this.#disk, this.#spares);
    this.#principals = new PrincipalSessions(this.#files);
    this.#expired = new ExpiredSessions(this.#layout, this.#files);
  }

  /**
   * Creates the directory if it is missing, and checks that it can be used. Must be called once before any other call.
   * @throws SessionError `SESSION_OPTIONS_INVALID` when the path is not a directory, cannot be written, is owned or writable by
   * other users, lies below a folder that they own or can write, or holds other files; `SESSION_SCHEMA_INVALID` when a newer release wrote it; SessionStoreError
   */
  prepare(): Promise<void> {
    return withSessionErrors('prepare', null, () =>
      prepareDirectory(this.#layout, this.#disk, this.#spares, this.#trustsParents),
    );
  }

  async find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    return isSessionId(id) ? withSessionErrors('find', call, () => this.#files.find(id)) : null;
  }

  async insert(record: SessionRecord, call: StoreCall): Promise<void> {
    const { id } = record;
    if (!isSessionId(id)) throw new SessionStoreError('insert', 'the id is not a valid session id');
    const write = { kind: 'write', record: { ...record }, result: undefined } as const;
    await this.#change('insert', id, call, (found) => {
      if (found === null) return write;
      throw new SessionError('SESSION_DUPLICATE_ID', `A session with the id ${id} exists already.`);
    });
  }

  async update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    const write = { kind: 'write', record: { ...record }, result: true } as const;
    return this.#changeVersion('update', record.id, expectedVersion, call, () => write);
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean> {
    return this.#changeVersion('extend', id, expectedVersion, call, (record) =>
      record.expiresAt === expiresAt
        ? { kind: 'keep', result: true }
        : { kind: 'write', record: { ...record, expiresAt }, result: true },
    );
  }

  async delete(id: SessionId, call: StoreCall): Promise<void> {
    if (!isSessionId(id)) return;
    await this.#change('delete', id, call, (found) =>
      found === null
        ? { kind: 'keep', result: undefined }
        : { kind: 'remove', lasting: true, result: undefined },
    );
  }

  findByPrincipal(principal: string, call: StoreCall): Promise<SessionRecord[]> {
    return withSessionErrors('findByPrincipal', call, () => this.#principals.find(principal, call.signal));
  }

  deleteByPrincipal(principal: string, call: StoreCall): Promise<number> {
    return withSessionErrors('deleteByPrincipal', call, () =>
      this.#principals.delete(principal, call.signal),
    );
  }

  async *records(call: StoreCall): AsyncGenerator<SessionRecord> {
    const { sessions } = this.#layout;
    const paced = pacer(call.signal);
    for (const shard of await withSessionErrors('records', call, () => shardsOf(sessions))) {
      const names = await withSessionErrors('records', call, () => readdir(join(sessions, shard)));
      const ids = names.map(parseName).flatMap((name) => (name?.suffix === '' ? [name.id] : []));
      for (let start = 0; start < ids.length; start += FILES_AT_ONCE) {
        const page = ids.slice(start, start + FILES_AT_ONCE);
        const find = (): Promise<(SessionRecord | null)[]> =>
          inBatches(page, call.signal, (id) => this.#files.find(id));
        for (const record of await paced(() => withSessionErrors('records', call, find)))
          if (record !== null) yield record;
      }
    }
  }

  /** Also removes files that killed processes have left behind. */
  sweep(now: number, limit: number, call: StoreCall): Promise<number> {
    return withSessionErrors('sweep', call, () => this.#expired.sweep(now, limit, call.signal));
  }

  async #changeVersion(
    operation: string,
    id: SessionId,
    expectedVersion: number,
    call: StoreCall,
    decide: (record: SessionRecord) => FileChange<boolean>,
  ): Promise<boolean> {
    if (!isSessionId(id)) return false;
    return this.#change(operation, id, call, (found) =>
      found?.kind === 'live' && found.record.version === expectedVersion
        ? decide(found.record)
        : { kind: 'keep', result: false },
    );
  }

  #change<T>(
    operation: string,
    id: SessionId,
    call: StoreCall,
    decide: (found: SessionFile | null) => FileChange<T>,
  ): Promise<T> {
    return withSessionErrors(operation, call, () => this.#files.change(id, call.signal, decide));
  }
}

/** Converts every failure into a SessionError. */
async function withSessionErrors<T>(
  operation: string,
  call: StoreCall | null,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFileError(operation, error, call?.signal.aborted ?? false);
  }
}
