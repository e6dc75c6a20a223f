/**
 * Sessions in a durable store with a fast one in front of it.
 * @module nestjs-tessera/tiered
 */
export { TieredSessionStore } from './tiered-session-store';
export type { TieredSessionStoreOptions } from './tiered.options';
