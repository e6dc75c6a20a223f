/**
 * Logins by Passport, without `req.session`. Needs the package `passport`.
 * @module nestjs-tessera/passport
 */
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
