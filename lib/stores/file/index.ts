export { FileSessionStore } from './file-session-store';
export type { FileSessionStoreOptions } from './file-session-store';
