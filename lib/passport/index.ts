export { PassportSessions } from './passport-sessions.module';
export type {
  PassportSessionAsyncOptions,
  PassportSessionOptions,
  PassportSessionOptionsFactory,
} from './passport-sessions.options';
export type { PassportInstance } from './passport-instance';
export { SessionStateStore } from './session-state-store';
export { withSessionStates } from './with-session-states';
export type { SessionStateOptions } from './session-states';
