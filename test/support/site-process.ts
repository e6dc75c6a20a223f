import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const root = resolve(__dirname, '../..');
const program = join(root, 'sample/01-site/dist/main.js');

/** A directory that is there while one of several test files compiles, which removes `dist` first. */
const building = join(root, 'node_modules/.cache/nestjs-tessera/building');

/** In milliseconds. A process that was killed leaves the directory behind. */
const LONGEST_BUILD = 120_000;

/** The sample site as a process of its own, run as `npm start` runs it, on a database that nobody else has. */
export class SiteProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'site-'));
  #child: ChildProcess | undefined;

  private constructor(private readonly port: number) {}

  /** Compiles what has changed since the last time, and starts the site on a free port. */
  static async start(): Promise<SiteProcess> {
    await inTurn(build);
    const site = new SiteProcess(await freePort());
    await site.#start();
    return site;
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  /** Ends the process with SIGTERM and starts another on the same database and port. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#start();
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, PORT: String(this.port), SITE_DATABASE: join(this.#folder, 'site.sqlite') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let output = '';
    await new Promise<void>((ready, failed) => {
      const listen = (chunk: Buffer): void => {
        output += chunk.toString();
        if (output.includes(`The site is at ${this.url}`)) ready();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`The site ended with ${code}:\n${output}`)));
    });
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}

/** What `npm start` does first, unless nothing has changed since. */
async function build(): Promise<void> {
  const isFresh =
    newest(join(root, 'lib')) < changedAt(join(root, 'dist/index.js')) &&
    newest(join(root, 'sample/01-site/src')) < changedAt(program);
  if (isFresh) return;
  await promisify(execFile)('npm', ['run', 'prestart'], { cwd: root }).catch((error: { stdout: string }) => {
    throw new Error(`The site does not compile:\n${error.stdout}`);
  });
}

/** Runs when no other process does. */
async function inTurn(work: () => Promise<void>): Promise<void> {
  mkdirSync(resolve(building, '..'), { recursive: true });
  while (!isFirst()) await wait(100);
  try {
    await work();
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

function isFirst(): boolean {
  try {
    mkdirSync(building);
    return true;
  } catch {
    if (Date.now() - changedAt(building) > LONGEST_BUILD) rmSync(building, { recursive: true, force: true });
    return false;
  }
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
  return Math.max(...sources.map((file) => changedAt(join(folder, file))));
}

function changedAt(file: string): number {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

/** Chosen before the site starts, since it has to come back on the same one. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
