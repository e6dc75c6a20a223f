/**
 * Sessions in a directory of this machine.
 * @module nestjs-tessera/file
 */
export { FileSessionStore } from './file-session-store';
export type { FileSessionStoreOptions } from './file-session-store';
