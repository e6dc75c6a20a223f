import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Whom servers run as. PostgreSQL refuses to run as root, so that nobody else does either. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Where the servers of a test file live. A keeper watches over it, a process that ends them when ours is gone, even
 * when it was killed.
 */
export class ServerHome {
  static #current: ServerHome | undefined;

  readonly account = ordinaryAccount();
  readonly #directory = mkdtempSync(join(tmpdir(), 'tessera-servers-'));
  readonly #keeper = startKeeper(this.#directory);
  readonly #rooms = new Set<string>();

  /** The one of this test file, which is there as long as servers live in it. */
  static get(): ServerHome {
    return (ServerHome.#current ??= new ServerHome());
  }

  private constructor() {
    chmodSync(this.#directory, 0o711);
  }

  /** A directory for one server. */
  open(): string {
    const room = mkdtempSync(join(this.#directory, 'server-'));
    this.#rooms.add(room);
    const { uid, gid } = this.account;
    if (uid !== undefined) chownSync(room, uid, gid!);
    return room;
  }

  /** The directory is not needed any more. The last one takes the keeper and everything else along. */
  async close(room: string): Promise<void> {
    if (!this.#rooms.delete(room) || this.#rooms.size > 0) return;
    ServerHome.#current = undefined;
    const { exitCode, signalCode, stdin } = this.#keeper;
    if (exitCode !== null || signalCode !== null)
      throw new Error('The keeper of the servers has ended early.');
    this.#keeper.ref();
    stdin!.end();
    await once(this.#keeper, 'exit');
  }
}

/** A group of its own, so that Ctrl-C, which goes to everybody in the terminal, does not end the keeper first. */
function startKeeper(directory: string): ChildProcess {
  const typescript = resolve(__dirname, '../../sessions/process/typescript.js');
  const keeper = spawn(process.execPath, ['-r', typescript, join(__dirname, 'keeper.ts'), directory], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  keeper.unref();
  (keeper.stdin as Socket).unref();
  return keeper;
}

function ordinaryAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  const id = (option: string): number =>
    Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }).trim());
  return { uid: id('-u'), gid: id('-g') };
}
