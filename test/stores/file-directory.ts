import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSessionStore, type FileSessionStoreOptions } from 'nestjs-tessera/file';

/** A place for a store's directory, with the means to be rid of it. */
export function fileDirectory() {
  const parent = mkdtempSync(join(tmpdir(), 'tessera-'));
  const directory = join(parent, 'sessions-of-ours');
  return {
    parent,
    directory,
    /** A store there, ready for use; each is to the others as one of another process. */
    async open(options: FileSessionStoreOptions = { durable: false }): Promise<FileSessionStore> {
      const store = new FileSessionStore(directory, options);
      await store.prepare();
      return store;
    },
    remove(): void {
      rmSync(parent, { recursive: true, force: true });
    },
  };
}
