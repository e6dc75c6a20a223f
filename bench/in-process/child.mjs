import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pin, SERVER_CORE } from '../harness/pin.mjs';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** A module of this folder in a process of its own, which does what it is asked to: see `answer.mjs`. */
export class Child {
  #process;
  #gone;

  constructor(process, gone) {
    this.#process = process;
    this.#gone = gone;
  }

  /**
   * @param module its name
   * @param given for it to read with `given()`
   * @param cores where it may run, as `taskset` takes them
   * @param folder the checkout whose module it is
   */
  static async start(
    module,
    given = {},
    { execArgv = [], env = {}, cores = SERVER_CORE, folder = checkout } = {},
  ) {
    const file = join(folder, 'bench', 'in-process', `${module}.mjs`);
    const process = fork(file, [JSON.stringify(given)], { execArgv, env: { ...environment(), ...env } });
    pin(process.pid, cores);
    const gone = once(process, 'exit').then(([code, signal]) => {
      throw new Error(`${module} ${JSON.stringify(given)} ended with ${signal ?? code}`);
    });
    gone.catch(() => {});
    await Promise.race([once(process, 'message'), gone]);
    return new Child(process, gone);
  }

  /** One task at a time. */
  async ask(task, parameters = {}) {
    this.#process.send({ task, parameters });
    const [{ value, error }] = await Promise.race([once(this.#process, 'message'), this.#gone]);
    if (error !== undefined) throw new Error(error);
    return value;
  }

  async stop() {
    if (this.#process.connected) this.#process.disconnect();
    await this.#gone.catch(() => {});
  }
}

/** Starts them all, and ends them whatever happens. @param starts functions that start one each */
export async function withChildren(starts, work) {
  const children = [];
  try {
    for (const start of starts) children.push(await start());
    return await work(children);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

function environment() {
  return { ...process.env, NODE_ENV: 'production' };
}
