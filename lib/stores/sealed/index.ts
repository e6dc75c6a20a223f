/**
 * Sessions in the cookie, encrypted or signed.
 * @module nestjs-tessera/sealed
 */
export { SealedSessions } from './sealed-sessions';
export type {
  IrrevocableSessions,
  RevocableSessions,
  SealedSessionsOptions,
  SealingOptions,
} from './sealed-options';
export type { SealingKey } from './sealing-keys';
