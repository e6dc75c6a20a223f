import { dirname } from 'node:path';

/** The folders of all copies of this package that the process has loaded. A key of the global registry, which the copies share. */
const COPIES = Symbol.for('nestjs-tessera.copies');
const registry = globalThis as { [COPIES]?: Set<string> };
const copies = (registry[COPIES] ??= new Set());
copies.add(dirname(__dirname));

/** Returns a sentence for an error message when sessions may be missing because another copy of the package has them; else ''. */
export function aboutCopies(folders: ReadonlySet<string> = copies): string {
  if (folders.size < 2) return '';
  return ` ${folders.size} copies of nestjs-tessera are loaded, and each knows its own sessions only: ${[...folders].join(', ')}. Make the package manager install one.`;
}
