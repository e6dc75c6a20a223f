import { AsyncLocalStorage } from 'node:async_hooks';
import fs, { type FileHandle } from 'node:fs/promises';

const CALLS = [
  'access',
  'mkdir',
  'open',
  'readFile',
  'readdir',
  'rename',
  'rmdir',
  'stat',
  'unlink',
] as const;
const HANDLE_CALLS = ['writeFile', 'utimes', 'sync', 'close'] as const;

type Call = (...given: unknown[]) => Promise<unknown>;

/** Work that stands still before one of its calls to the file system, as a process that is stopped there does, or killed. */
export class Halt {
  /** Every call so far, by name. */
  readonly calls: string[] = [];
  readonly #reached = new Gate();
  readonly #thawed = new Gate();

  /** @param before how many calls are made before it stands still */
  constructor(private readonly before: number) {}

  /** Resolves when the work stands still, or has ended without coming so far. */
  get reached(): Promise<void> {
    return this.#reached.opened;
  }

  get isReached(): boolean {
    return this.calls.length > this.before;
  }

  /** Begins the work. What it gives comes when it has ended. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = current.run(this, work);
    result.then(this.#reached.open, this.#reached.open);
    return result;
  }

  thaw(): void {
    this.#thawed.open();
  }

  async pass(name: string): Promise<void> {
    this.calls.push(name);
    if (this.calls.length !== this.before + 1) return;
    this.#reached.open();
    await this.#thawed.opened;
  }
}

class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

const current = new AsyncLocalStorage<Halt>();

/** From here on calls go through the halt of whoever makes them, where there is one. Gives back how to undo that. */
export function watchFileSystem(): () => void {
  const real = Object.fromEntries(CALLS.map((name) => [name, fs[name]])) as unknown as Record<string, Call>;
  const calls = fs as unknown as Record<string, Call>;
  for (const name of CALLS) {
    calls[name] = async (...given) => {
      await current.getStore()?.pass(name);
      const answer = await real[name]!(...given);
      return name === 'open' ? watchHandle(answer as FileHandle) : answer;
    };
  }
  return () => void Object.assign(fs, real);
}

function watchHandle(handle: FileHandle): FileHandle {
  for (const name of HANDLE_CALLS) {
    const real = (handle[name] as Call).bind(handle);
    const watched: Call = async (...given) => {
      await current.getStore()?.pass(name);
      return real(...given);
    };
    Object.defineProperty(handle, name, { value: watched });
  }
  return handle;
}
