import { fork } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { pin, SERVER_CORE } from './pin.mjs';

/** One subject, served by a process of its own. */
export class Server {
  #child;

  constructor(child, { port, keepsSessions }) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
    this.keepsSessions = keepsSessions;
  }

  /**
   * @param subject `name`, the `module` below bench/subjects, its `options`, and the `checkout` whose bench and build to use
   * @param node the binary to run it with
   */
  static async start({ module, options, checkout }, platform, node) {
    const bench = join(checkout, 'bench');
    const what = { module: pathToFileURL(join(bench, 'subjects', `${module}.mjs`)).href, platform, options };
    const child = fork(join(bench, 'harness', 'serve.mjs'), [JSON.stringify(what)], {
      execPath: node,
      execArgv: [],
      cwd: checkout,
      env: { ...process.env, NODE_ENV: 'production' },
    });
    pin(child.pid, SERVER_CORE);
    const [message] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) =>
        Promise.reject(new Error(`${module} ended with ${code} before it listened`)),
      ),
    ]);
    return new Server(child, message);
  }

  /** Its CPU time so far, user and system, in microseconds. */
  async cpu() {
    this.#child.send('cpu');
    const [{ cpu }] = await once(this.#child, 'message');
    return cpu;
  }

  async stop() {
    if (this.#child.exitCode !== null) return;
    this.#child.disconnect();
    await once(this.#child, 'exit');
  }
}
