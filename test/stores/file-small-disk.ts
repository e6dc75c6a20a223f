import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FileSessionStore } from 'nestjs-tessera/file';
import type { SessionRecord } from '../../lib/core/session-record';
import { aRecord } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { SmallDisk } from './small-disk';

/** A store's directory on a small file system of its own. */
export async function fileSmallDisk(size?: string) {
  const disk = await SmallDisk.mount(size);
  const directory = join(disk.path, 'sessions');
  const spares = (): string[] =>
    readdirSync(join(directory, 'spare')).map((name) => join(directory, 'spare', name));
  return {
    disk,
    directory,
    async open(): Promise<FileSessionStore> {
      const store = new FileSessionStore(directory);
      await store.prepare();
      return store;
    },
    /** How many spares there are, and how many of them are whole. */
    spares: () => ({
      all: spares().length,
      whole: spares().filter((path) => readdirSync(path, { recursive: true }).length === 2).length,
    }),
  };
}

export async function listed(store: FileSessionStore): Promise<SessionRecord[]> {
  const found: SessionRecord[] = [];
  for await (const record of store.records(call)) found.push(record);
  return found;
}

export function someOf(count: number, given: Partial<SessionRecord> = {}): SessionRecord[] {
  return Array.from({ length: count }, () => aRecord(given));
}
