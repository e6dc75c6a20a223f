import { access, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '../../core/clock';
import type { SessionId } from '../../core/session-token';
import { type Disk, nullIfMissing, removeFile, removeFolder, succeedsUnless } from './disk';
import { type StoreLayout, isNonce, fileNameOf, parseName } from './store-layout';

/** How old a marker without a session must be before it is taken for a leftover, in milliseconds: its login may be under way. */
const ORPHAN_AGE = 60_000;

/** Says: since the change with this mark, this session is of that principal. Whether it still is, the session's file says. */
export interface Marker {
  readonly principal: string;
  readonly id: SessionId;
  readonly mark: string;
}

/**
 * The index from principals to sessions: empty files. A marker is there before its session is, and goes after it; each login has one
 * of its own, so that removing that of an earlier one, however late, never hits it.
 */
export class PrincipalMarkers {
  constructor(
    private readonly layout: StoreLayout,
    private readonly disk: Disk,
  ) {}

  async add(marker: Marker): Promise<void> {
    const folder = this.layout.principal(marker.principal);
    // The folder may go whenever it is empty.
    while (!(await succeedsUnless(['ENOENT'], this.#touch(this.#pathOf(marker))))) {
      await succeedsUnless(['EEXIST'], this.disk.createFolder(folder));
    }
    // It may be gone again, if this took so long that the attempt was put out.
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
    if (names === null) await access(this.layout.format); // or else the whole directory has vanished
    if (names?.length === 0) await removeFolder(folder); // left by a process that was killed
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
