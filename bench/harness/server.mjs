import { fork } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { pin, SERVER_CORE } from './pin.mjs';

/** One subject, served by a process of its own. */
export class Server {
  #child;

  constructor(child, name, about) {
    this.#child = child;
    this.name = name;
    this.url = `http://127.0.0.1:${about.port}`;
    /** Whether it has sessions at all. */
    this.keepsSessions = about.keepsSessions;
    /** Whether the cookie is the session, so that old cookies are old sessions. */
    this.keepsDataInCookie = about.keepsDataInCookie ?? false;
    /** Whether an answer that changes an existing session sets a cookie. */
    this.issuesOnWrite = about.issuesOnWrite ?? this.keepsDataInCookie;
    /** Set-Cookie lines of an answer that sets one. */
    this.cookieLines = about.cookieLines ?? 1;
  }

  /** @param subject `name`, the `module` below bench/subjects, its `options`, and the `checkout` whose bench and build to use */
  static async start({ name, module, options, checkout }, platform) {
    const bench = join(checkout, 'bench');
    const what = { module: pathToFileURL(join(bench, 'subjects', `${module}.mjs`)).href, platform, options };
    const child = fork(join(bench, 'harness', 'serve.mjs'), [JSON.stringify(what)], {
      execArgv: [],
      cwd: checkout,
      env: { ...process.env, NODE_ENV: 'production' },
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
