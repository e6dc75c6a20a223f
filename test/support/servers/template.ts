import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const CACHE = resolve(__dirname, '../../../node_modules/.cache/nestjs-tessera/servers');

const copy = (from: string, to: string) => promisify(execFile)('cp', ['-a', from, to]);

/**
 * The empty data directory of a server, kept from the first time that it is made. A copy takes a tenth of the time. Other programs,
 * another version, other arguments and another account have one of their own.
 * @param command makes the directory, whose path its arguments do not name
 */
export class Template {
  readonly #directory: string;

  constructor(programs: readonly string[], command: readonly string[]) {
    const files = programs.map((program) => {
      const file = realpathSync(program);
      const { size, mtimeMs } = statSync(file);
      return [file, size, mtimeMs];
    });
    const name = createHash('sha256').update(JSON.stringify([process.getuid?.(), files, command]));
    this.#directory = join(CACHE, name.digest('hex').slice(0, 16));
  }

  /** Resolves to `false` when there is nothing to copy yet. */
  async copyTo(data: string): Promise<boolean> {
    if (!existsSync(this.#directory)) return false;
    await copy(this.#directory, data);
    return true;
  }

  /** Under another name first, so that nobody copies half of it. Several test files may keep one at the same time. */
  async keep(data: string): Promise<void> {
    const unfinished = `${this.#directory}.${randomBytes(4).toString('hex')}`;
    mkdirSync(dirname(unfinished), { recursive: true });
    await copy(data, unfinished);
    try {
      renameSync(unfinished, this.#directory);
    } catch {
      rmSync(unfinished, { recursive: true });
    }
  }
}
