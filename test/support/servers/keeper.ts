// A process of its own: node keeper.ts <directory>. When whoever started it is gone, however that went, it ends the
// servers that live in the directory and removes it.
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeServer } from './server-directory';

const directory = process.argv[2]!;

process.stdin
  .on('error', () => {})
  .on('close', () => void end())
  .resume();

async function end(): Promise<void> {
  // Under another name first: a server that is just being started does not find its directory and gives up.
  const ended = `${directory}.ended`;
  renameSync(directory, ended);
  await Promise.all(readdirSync(ended).map((name) => removeServer(join(ended, name))));
  rmSync(ended, { recursive: true, force: true });
}
