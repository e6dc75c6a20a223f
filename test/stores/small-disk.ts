import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Keeps the file system mounted until its input ends: until {@link SmallDisk.remove}, or until Jest is killed. */
const KEEP_MOUNTED = `trap '' INT TERM; mount -t tmpfs -o "$1" tmpfs "$0" && echo mounted && cat && umount -l "$0"`;
/** Appends to a file and makes files for as long as it runs, then tells how often it could once the disk was full. */
const TAKE_ALL = `
  const { appendFileSync, writeFileSync } = require('node:fs');
  const folder = process.argv[1];
  let files = 0, since = 0, isFull = false;
  const take = (one) => { try { one(); return 1; } catch (error) { if (error.code !== 'ENOSPC') throw error; return 0; } };
  const some = () => {
    let taken = 0;
    for (let n = 0; n < 50; n++) {
      taken += take(() => appendFileSync(folder + '/taken', Buffer.alloc(4096)));
      taken += take(() => writeFileSync(folder + '/taken-' + files++, ''));
    }
    if (isFull) since += taken;
    else if (taken === 0) { isFull = true; process.stdout.write('full'); }
    setImmediate(some);
  };
  process.on('SIGTERM', () => process.stdout.write(String(since), () => process.exit()));
  some();`;
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

  readonly #others: ChildProcess[] = [];

  static async mount(size = 'size=512k,nr_inodes=600'): Promise<SmallDisk> {
    const path = mkdtempSync(join(tmpdir(), 'tessera-disk-'));
    const given = ['-c', KEEP_MOUNTED, path, `${size},mode=700`];
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

  /**
   * Takes at once whatever becomes free, as another program that does nothing else. Resolves when the disk is full, with how to end that
   * program; it tells how many blocks and files it has got since.
   */
  async keepFull(): Promise<() => Promise<number>> {
    const other = spawn(process.execPath, ['-e', TAKE_ALL, join(this.path, 'other-program')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#others.push(other);
    const told = other.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    await told.next();
    return async () => {
      const ended = once(other, 'close');
      other.kill('SIGTERM');
      const { value } = (await told.next()) as { value: Buffer };
      await ended;
      return Number(value);
    };
  }

  /** Gives back what was taken. */
  free(): void {
    const folder = join(this.path, 'other-program');
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
  }

  async remove(): Promise<void> {
    for (const other of this.#others) other.kill('SIGKILL');
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
