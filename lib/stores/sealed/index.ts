export { SealedSessions } from './sealed-sessions';
export type {
  IrrevocableSessions,
  RevocableSessions,
  SealedSessionsOptions,
  SealingOptions,
} from './sealed-options';
export type { SealingKey } from './sealing-keys';
