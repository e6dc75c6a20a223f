export { TieredSessionStore } from './tiered-session-store';
export type { TieredSessionStoreOptions } from './tiered.options';
