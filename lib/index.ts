/**
 * Sessions for an application on Express or Fastify: the module, what handlers, guards and providers use, the store in memory, and the contracts of
 * stores and transports.
 * @module nestjs-tessera
 */

// The module
export { SessionModule } from './session.module';
export type {
  SessionModuleAsyncOptions,
  SessionModuleExtras,
  SessionModuleSyncOptions,
  SessionOptionsFactory,
} from './session.module-definition';
export { describePolicy } from './session.options';
export type { Duration } from './durations';
export type { SessionModuleOptions } from './session.options';
export type { LoginModuleOptions } from './login.options';
export type { LimitPolicy } from './core/login-settings';
export type { PolicyName, SessionPolicy } from './core/session-policy';
export type { Authorize } from './requests/session-instance';
export type { DeviceDescription, DeviceRequest } from './requests/client-device';
export type { CsrfOptions } from './requests/csrf-options';
export { bearer, composite, cookie, header } from './transport.options';
export type { BearerOptions, HeaderOptions } from './transport.options';
export type { CookieOptions, ReplacedCookie } from './transports/cookie-options';
export type {
  Connection,
  RequestHeaders,
  ResponseHeaders,
  SessionTransport,
  TokenAnswer,
  TokenReading,
} from './transports/session-transport';

// Types that an application augments
export type {
  FlashKind,
  FlashMessage,
  KeyOf,
  PrincipalClaims,
  SessionConstantKey,
  SessionConstants,
  SessionData,
  SessionKey,
  SessionMessages,
} from './core/session-data';
export type { InferData, SchemaIssue, SchemaResult, StandardSchema } from './core/standard-schema';
export type { OnMismatch } from './core/value-schemas';
export type { SchemaOptions } from './schema.options';

// In handlers
export { Session } from './decorators/session.decorator';
export type { SessionSelection, SessionValue } from './decorators/session.decorator';
export { Principal } from './decorators/principal.decorator';
export { Actor } from './decorators/actor.decorator';
export type { Elevation, LoginOptions, LogoutOptions, Proof } from './core/login';
export type { EndReason } from './core/ended-session';
export type { Device } from './core/device';
export type { FlashInputOptions } from './core/form-input';
export type { FormFields } from './core/session-state';
export type { SessionStatus } from './core/session-operation';
export type { PrincipalInput } from './core/principal';
// The types Session and Principal under unique names. TypeScript writes these names into declarations of inferred types.
export type { Session as LoadedSession } from './core/session';
export type { Principal as LoggedInPrincipal } from './core/principal';

// In guards
export { AuthGuard } from './guards/auth.guard';
export { Public } from './decorators/public.decorator';
export { RequireRoles, RequireRolesOf } from './guards/require-roles.decorator';
export { RecentLogin, RequireLevel, RequirePending } from './guards/require-proof.decorator';
export { CsrfGuard } from './guards/csrf.guard';
export { SkipCsrf } from './decorators/skip-csrf.decorator';

// In exception filters
export { LoginRedirectFilter } from './http/login-redirect.filter';
export type { LoginRedirectOptions } from './http/login-redirect.filter';

// In providers
export { SessionService } from './session.service';
export { SessionRegistry } from './session.registry';
export type { EndAll, EndOne, PrincipalRef } from './session.registry';
export type { SessionInfo } from './core/session-info';
export { InjectSessions } from './decorators/inject-sessions.decorator';
export {
  SESSION_STORE,
  sessionEventsToken,
  sessionManagerToken,
  sessionOptionsToken,
  sessionRegistryToken,
  sessionServiceToken,
  sessionStoreToken,
} from './requests/session.tokens';
// Outside HTTP requests
export { SessionManager } from './core/session-manager';
export type { EndAllOptions } from './core/session-manager';
export type { StoredSession } from './core/stored-session';
export type { CommitOutcome, Delivery } from './core/commit-outcome';
export type { SessionRepositoryProvider } from './core/session-repository';
export type { SessionToken } from './core/session-token';
export type { LoginEnd } from './core/watched-login';

// Events
export { OnSession } from './decorators/on-session.decorator';
export type {
  OnSessionOptions,
  SessionEventHandlerDecorator,
  SessionEventOf,
} from './decorators/on-session.decorator';
export { SessionEvents } from './session.events';
export type { SessionEvent, SessionEventReason, SessionEventType } from './core/session-event';

// Stores
export { MemorySessionStore } from './stores/memory/memory-session-store';
export type { MemorySessionStoreOptions } from './stores/memory/memory-session-store';
export {
  isBatchReadable,
  isClosable,
  isEnumerable,
  isLimited,
  isPrepared,
  isPrincipalIndexed,
  isSweepable,
  isWatchable,
} from './core/store-capabilities';
export type { SessionStore, StoreCall } from './core/session-store';
export type {
  BatchReadableStore,
  ClosableStore,
  EndListener,
  EndSubscription,
  EnumerableStore,
  LimitedStore,
  PrepareContext,
  PreparedStore,
  PrincipalIndexedStore,
  SessionHead,
  StoreLimit,
  SweepableStore,
  WatchableStore,
} from './core/store-capabilities';
export type { SessionRecord } from './core/session-record';
export { isSessionId } from './core/session-token';
export type { SecretHash, SessionId } from './core/session-token';

// Ports
export { jsonCodec, plainJson, UnsupportedValue } from './core/session-codec';
export type { SessionCodec } from './core/session-codec';
export { systemClock } from './core/clock';
export type { Clock } from './core/clock';

// Errors
export {
  SessionError,
  SessionStoreError,
  SessionTooLargeError,
  SessionValueError,
} from './core/session.errors';
export type { SessionErrorCode } from './core/session.errors';
export { SessionUnavailableException } from './http/session.exceptions';
