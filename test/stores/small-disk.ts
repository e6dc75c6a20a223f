import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Keeps the file system mounted until its input ends: until {@link SmallDisk.remove}, or until Jest is killed. */
const KEEP_MOUNTED = `trap '' INT TERM; mount -t tmpfs -o "$1" tmpfs "$0" && echo mounted && cat && umount -l "$0"`;
/** Mounts one where nobody sees it. */
const TRY = 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d"; s=$?; rmdir "$d"; exit $s';

/** Why this machine cannot mount one; `null` when it can. */
export function cannotMount(): string | null {
  const isMounted = process.platform === 'linux' && spawnSync('sh', ['-c', TRY]).status === 0;
  return isMounted ? null : 'a full disk is a tmpfs, which takes Linux and the right to mount';
}

/** A file system of its own, small enough to fill. */
export class SmallDisk {
  private constructor(
    readonly path: string,
    private readonly keeper: ChildProcess,
  ) {}

  static async mount(): Promise<SmallDisk> {
    const path = mkdtempSync(join(tmpdir(), 'tessera-disk-'));
    const given = ['-c', KEEP_MOUNTED, path, 'size=512k,nr_inodes=600,mode=700'];
    const keeper = spawn('sh', given, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(keeper.stdout, 'data');
    mkdirSync(join(path, 'other-program'));
    return new SmallDisk(path, keeper);
  }

  /** Takes every byte that is left, as another program that writes a log. */
  takeSpace(): void {
    const log = join(this.path, 'other-program', 'log');
    untilFull(() => appendFileSync(log, Buffer.alloc(4096)));
  }

  /** Takes every inode that is left, as another program that has many files. */
  takeInodes(): void {
    const folder = join(this.path, 'other-program');
    let n = readdirSync(folder).length;
    untilFull(() => writeFileSync(join(folder, `file-${n++}`), ''));
  }

  /** Gives back what was taken. */
  free(): void {
    const folder = join(this.path, 'other-program');
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
  }

  async remove(): Promise<void> {
    const ended = once(this.keeper, 'close');
    this.keeper.stdin!.end();
    await ended;
    rmSync(this.path, { recursive: true, force: true });
  }
}

function untilFull(take: () => void): void {
  try {
    for (;;) take();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
