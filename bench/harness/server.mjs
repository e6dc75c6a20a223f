import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { findingBuild } from './against.mjs';
import { get, load } from './load.mjs';
import { pin, SERVER_CORE } from './pin.mjs';
import { Visit } from './visit.mjs';

/** One subject, served by a process of its own and asked over sockets. */
export class Server {
  #child;
  #url;

  constructor(child, name, { port, traits }) {
    this.#child = child;
    this.#url = `http://127.0.0.1:${port}`;
    this.name = name;
    this.traits = traits;
  }

  /** @param subject `name`, the `module` below bench/subjects, its `options`, and the `build` of this library that it uses */
  static async start({ name, module, options, build }, platform) {
    const { execArgv, env } = findingBuild(build);
    const serve = fileURLToPath(new URL('serve.mjs', import.meta.url));
    const child = fork(serve, [JSON.stringify({ module, platform, options })], {
      execArgv,
      env: { ...process.env, ...env, NODE_ENV: 'production' },
    });
    pin(child.pid, SERVER_CORE);
    const [about] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) =>
        Promise.reject(new Error(`${name} ended with ${code} before it listened`)),
      ),
    ]);
    return new Server(child, name, about);
  }

  visit(route) {
    return new Visit(this, route);
  }

  get(path, cookie) {
    return get(this.#url + path, cookie);
  }

  load(path, options) {
    return load(this.#url + path, options);
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
