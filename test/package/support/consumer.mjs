import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { node, npm, root } from './run.mjs';

const sources = join(root, 'test/package/app');

/** The minimum that the README states. */
const OLDEST_TYPESCRIPT = '~5.0.4';

/** An application outside of this repository, which knows the package from its tarball only. */
export class Consumer {
  complaints = '';
  strangers;
  #urls = {};
  #process;

  constructor(folder, { nest, type, tarball, typeorm = '^1.0.0', others = {} }) {
    this.folder = folder;
    this.manifest = {
      private: true,
      type,
      dependencies: {
        '@nestjs/common': `^${nest}.0.0`,
        '@nestjs/core': `^${nest}.0.0`,
        '@nestjs/platform-express': `^${nest}.0.0`,
        '@nestjs/platform-fastify': `^${nest}.0.0`,
        '@nestjs/terminus': `^${Math.max(nest, 11)}.0.0`,
        '@nestjs/websockets': `^${nest}.0.0`,
        passport: '^0.7.0',
        'nestjs-tessera': `file:${tarball}`,
        'reflect-metadata': '^0.2.0',
        rxjs: '^7.8.0',
        typeorm,
        ...others,
      },
      devDependencies: {
        '@types/node': '^20.0.0',
        typescript: '~6.0.0',
        'oldest-typescript': `npm:typescript@${OLDEST_TYPESCRIPT}`,
      },
    };
  }

  async install() {
    mkdirSync(this.folder);
    this.#write('package.json', this.manifest);
    this.#write('tsconfig.json', {
      compilerOptions: {
        target: 'es2022',
        module: 'nodenext',
        strict: true,
        declaration: true,
        esModuleInterop: true,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        skipLibCheck: true,
        types: ['node'],
        rootDir: 'src',
        outDir: 'dist',
      },
      include: ['src'],
    });
    cpSync(sources, join(this.folder, 'src'), { recursive: true });
    await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', '--strict-peer-deps'], this.folder);
    // Ours is there already, and compiling another may take minutes.
    symlinkSync(
      join(root, 'node_modules/better-sqlite3'),
      join(this.folder, 'node_modules/better-sqlite3'),
      'junction',
    );
  }

  compile() {
    return node(['node_modules/typescript/bin/tsc', '-p', '.'], this.folder);
  }

  /**
   * What the oldest supported TypeScript finds wrong in the application and in the package's declarations. Other packages are not
   * asked for theirs.
   */
  async complaintsOfOldest(module, moduleResolution) {
    const options = { module, moduleResolution, skipLibCheck: 'false' };
    const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const tsc = 'node_modules/oldest-typescript/bin/tsc';
    const output = await node([tsc, '-p', '.', '--noEmit', '--pretty', 'false', ...given], this.folder).catch(
      ({ message }) => message,
    );
    const lines = output.split('\n').filter((line) => /\berror TS\d+/.test(line));
    return lines.filter((line) => !/^node_modules\/(?!nestjs-tessera\/)/.test(line));
  }

  /** What the package's program prints. */
  program(...args) {
    return npm(['exec', '--no', '--', 'nestjs-tessera', ...args], this.folder);
  }

  async start() {
    this.#process = spawn(process.execPath, ['dist/main.js'], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stderr.on('data', (chunk) => (this.complaints += chunk));
    const lines = createInterface(this.#process.stdout);
    const [line] = await Promise.race([once(lines, 'line'), once(this.#process, 'exit').then(() => [])]);
    if (line === undefined) throw new Error(`It ended before it was ready:\n${this.complaints}`);
    const { urls, strangers } = JSON.parse(line);
    this.#urls = urls;
    this.strangers = strangers;
  }

  visitor(setting) {
    const url = this.#urls[setting];
    if (url === undefined) throw new Error('The application has not started.');
    return new Visitor(url);
  }

  /** The exit code. */
  async stop() {
    const child = this.#process;
    if (child === undefined) return undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    }
    return child.exitCode;
  }

  #write(name, content) {
    writeFileSync(join(this.folder, name), JSON.stringify(content, null, 2));
  }
}

/** Somebody with a browser that holds one cookie. */
class Visitor {
  cookie = '';
  #url;

  constructor(url) {
    this.#url = url;
  }

  async text(method, path) {
    return (await this.#visit(method, path)).text();
  }

  async status(method, path, body) {
    return (await this.#visit(method, path, body)).status;
  }

  async #visit(method, path, body) {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        cookie: this.cookie,
        connection: 'close',
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
    });
    const [line] = response.headers.getSetCookie();
    if (line !== undefined) this.cookie = line.split(';')[0];
    return response;
  }
}
