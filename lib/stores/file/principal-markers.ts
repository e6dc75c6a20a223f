import { access, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '../../core/clock';
import type { SessionId } from '../../core/session-token';
import { type Disk, nullIfMissing, removeFile, removeFolder, succeedsUnless } from './disk';
import { type StoreLayout, isNonce, fileNameOf, parseName } from './store-layout';

/** Age from which a marker without a session counts as orphaned, in milliseconds. A younger one may belong to a login in progress. */
const ORPHAN_AGE = 60_000;

/** States that the session has had this principal since the change with this mark. The session's file says whether that still holds. */
export interface Marker {
  readonly principal: string;
  readonly id: SessionId;
  readonly mark: string;
}

/**
 * The index from principals to sessions: empty files. A marker is created before its session and removed after it. Each login has its own
 * marker, so that a late removal of an earlier marker cannot remove a later one.
 */
export class PrincipalMarkers {
  constructor(
    private readonly layout: StoreLayout,
    private readonly disk: Disk,
  ) {}

  async add(marker: Marker): Promise<void> {
    const folder = this.layout.principal(marker.principal);
    // Another process may remove the folder while it is empty.
    while (!(await succeedsUnless(['ENOENT'], this.#touch(this.#pathOf(marker))))) {
      await succeedsUnless(['EEXIST'], this.disk.createFolder(folder));
    }
    // The folder is missing if this took so long that another process canceled the attempt.
    await nullIfMissing(this.disk.syncFolder(folder));
    await this.disk.syncFolder(dirname(folder));
  }

  async remove(marker: Marker): Promise<void> {
    await removeFile(this.#pathOf(marker));
    await removeFolder(this.layout.principal(marker.principal));
  }

  async of(principal: string): Promise<Marker[]> {
    const folder = this.layout.principal(principal);
    const names = await nullIfMissing(readdir(folder));
    if (names === null) await access(this.layout.format); // rejects when the whole directory is missing
    if (names?.length === 0) await removeFolder(folder); // left behind by a killed process
    return (names ?? []).flatMap((name) => {
      const parsed = parseName(name);
      return parsed && isNonce(parsed.suffix) ? [{ principal, id: parsed.id, mark: parsed.suffix }] : [];
    });
  }

  async isOld(marker: Marker): Promise<boolean> {
    const found = await nullIfMissing(stat(this.#pathOf(marker)));
    return found !== null && found.mtimeMs < systemClock() - ORPHAN_AGE;
  }

  async #touch(path: string): Promise<void> {
    await (await open(path, 'wx', 0o600)).close();
  }

  #pathOf({ principal, id, mark }: Marker): string {
    return join(this.layout.principal(principal), `${fileNameOf(id)}.${mark}`);
  }
}
