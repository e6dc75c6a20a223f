import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findBinary } from './binaries';
import { freePort } from './free-port';
import { freezeTree, killTree, thawTree } from './process-tree';
import { mariadb, postgres, redis, type ServerProgram } from './programs';
import type { Server } from './server';
import { DATA, PID_FILE, removeServer } from './server-directory';
import { ServerHome } from './server-home';
import { Template } from './template';

/** How long a server may take to answer, in milliseconds. Recovery after a crash takes a while on a busy machine. */
const PATIENCE = 25_000;

export const startPostgres = (): Promise<PrivateServer> => PrivateServer.launch(postgres);
export const startMariadb = (): Promise<PrivateServer> => PrivateServer.launch(mariadb);
/** @param options as on its command line: `['--appendonly', 'yes']`. Without any, nothing is written to disk. */
export const startRedis = (options?: readonly string[]): Promise<PrivateServer> =>
  PrivateServer.launch(redis(options));

/** A server that was started for a test, in a directory of its own. */
export class PrivateServer implements Server {
  readonly url: string;
  #process: ChildProcess | undefined;

  private constructor(
    private readonly program: ServerProgram,
    private readonly home: ServerHome,
    readonly directory: string,
    readonly port: number,
  ) {
    this.url = program.url(port);
  }

  /** Tries again when another process was faster to take the port. */
  static async launch(program: ServerProgram, attempts = 3): Promise<PrivateServer> {
    const home = ServerHome.get();
    const server = new PrivateServer(program, home, home.open(), await freePort());
    try {
      await server.#prepare();
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      if (attempts > 1) return PrivateServer.launch(program, attempts - 1);
      throw error;
    }
  }

  freeze(): void {
    if (this.#process === undefined) throw new Error('The server does not run.');
    freezeTree(this.#process.pid!);
  }

  thaw(): void {
    if (this.#process !== undefined) thawTree(this.#process.pid!);
  }

  async kill(): Promise<void> {
    if (this.#process !== undefined) await this.#ended(killTree(this.#process.pid!));
  }

  async start(): Promise<void> {
    const child = this.#process ?? this.#run(this.program.serve(this.#binaries()[0]!, this.#data, this.port));
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const refusal: unknown = await this.program.greet(this.url).then(
        () => null,
        (error: unknown) => error,
      );
      // Whoever answered was another one, if ours has ended.
      if (this.#process !== child) throw this.#failure('ended', refusal);
      if (refusal === null) return void child.unref();
      if (performance.now() > deadline) throw this.#failure('does not answer', refusal);
      await pause(20);
    }
  }

  async stop(): Promise<void> {
    await this.#ended(removeServer(this.directory, this.#process?.pid));
    await this.home.close(this.directory);
  }

  async #prepare(): Promise<void> {
    const programs = this.#binaries();
    const command = (data: string) => this.program.prepare?.(programs, data) ?? [];
    const template = new Template(programs, command('data'));
    if (await template.copyTo(this.#data)) return;
    mkdirSync(this.#data, { mode: 0o700 });
    const { uid, gid } = this.home.account;
    if (uid !== undefined) chownSync(this.#data, uid, gid!);
    if (this.program.prepare === undefined) return;
    const [code] = (await once(this.#run(command(this.#data)), 'exit')) as [number | null];
    if (code !== 0) throw this.#failure('cannot be prepared');
    await template.keep(this.#data);
  }

  /** The shell writes down its id before it becomes the program, so that no moment passes in which nobody knows of it. */
  #run(command: readonly string[]): ChildProcess {
    const pidFile = join(this.directory, PID_FILE);
    const log = openSync(this.#log, 'a');
    const child = spawn('sh', ['-c', 'echo $$ > "$0" && exec "$@"', pidFile, ...command], {
      ...this.home.account,
      cwd: this.directory,
      // Nothing that the person at the terminal has set for servers of their own. A MariaDB that starts removes the temporary tables of
      // others from a directory that it shares with them.
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TMPDIR: this.directory },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    child.once('exit', () => {
      this.#process = undefined;
      // The id may soon be another's.
      rmSync(pidFile, { force: true });
    });
    this.#process = child;
    return child;
  }

  /** Somebody ends the process, if there is one. Resolves when we have heard of that too. */
  async #ended(ending: Promise<void>): Promise<void> {
    const child = this.#process;
    child?.ref();
    await Promise.all([ending, child && once(child, 'exit')]);
  }

  get #data(): string {
    return join(this.directory, DATA);
  }

  #binaries(): string[] {
    return this.program.binaries.map((names) => {
      const found = findBinary(names);
      if (found === null) throw new Error(`There is no ${names.join(' or ')} here.`);
      return found;
    });
  }

  get #log(): string {
    return join(this.directory, 'log');
  }

  #failure(what: string, cause?: unknown): Error {
    const log = readFileSync(this.#log, 'utf8').split('\n').slice(-20).join('\n');
    return new Error(`${this.url} ${what}:\n${log}`, { cause });
  }
}
