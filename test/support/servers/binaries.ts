import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian puts servers that are not on an ordinary user's PATH; the newest PostgreSQL first. */
export function folders(path = process.env['PATH'] ?? ''): string[] {
  return [...path.split(delimiter).filter((folder) => folder !== ''), ...postgresFolders(), '/usr/sbin'];
}

/** The first program of one of these names, or `null`. */
export function findBinary(names: readonly string[], where: readonly string[] = folders()): string | null {
  const files = where.flatMap((folder) => names.map((name) => join(folder, name)));
  return files.find(isExecutable) ?? null;
}

function postgresFolders(): string[] {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  const versions = readdirSync(root).sort((one, other) => Number(other) - Number(one));
  return versions.map((version) => join(root, version, 'bin'));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
