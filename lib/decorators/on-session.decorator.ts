import type { SessionEvent, SessionEventType } from '../core/session-event';

/** Metadata key set by `@OnSession()`, read when the application starts. */
const ON_SESSION_KEY = Symbol('nestjs-tessera.on-session');

/** What one `@OnSession()` asks for. */
export interface SessionSubscription {
  /** Empty for all types. */
  readonly types: readonly SessionEventType[];
  /** The instance; `undefined` for all instances. */
  readonly name: string | undefined;
}

/** Options of `@OnSession()`. */
export interface OnSessionOptions {
  /** The instance whose events the handler receives. @default the events of all instances */
  readonly name?: string;
}

/** A session event of certain types. */
export type SessionEventOf<T extends SessionEventType> = SessionEvent & {
  /** One of these types. */
  readonly type: T;
};

/** Decorates a method that takes events of these types, or nothing. */
export type SessionEventHandlerDecorator<T extends SessionEventType> = <
  H extends (event: SessionEventOf<T>) => unknown,
>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<H>,
) => void;

/**
 * Makes a method of a provider or a controller a handler of session events of these types, or of all when none is named:
 *
 * ```ts
 * @OnSession('loggedIn', 'loggedOut')
 * note({ type, principal }: SessionEventOf<'loggedIn' | 'loggedOut'>) {}
 *
 * @OnSession({ name: 'admin' }) // all events of one instance
 * noteAdmin(event: SessionEvent) {}
 * ```
 *
 * Handlers receive events from the moment the application has started until it has shut down. Nothing waits for a handler, and one that
 * throws, rejects or hangs does not affect the request that caused the event: the failure is logged. The class must have the default scope: the
 * start fails with `SESSION_OPTIONS_INVALID` for a class that is request-scoped or transient, or depends on one that is request-scoped.
 */
export function OnSession<T extends SessionEventType = SessionEventType>(
  ...types: T[]
): SessionEventHandlerDecorator<T>;
export function OnSession<T extends SessionEventType = SessionEventType>(
  ...typesThenOptions: [...types: T[], options: OnSessionOptions]
): SessionEventHandlerDecorator<T>;
export function OnSession(
  ...given: (SessionEventType | OnSessionOptions)[]
): SessionEventHandlerDecorator<SessionEventType> {
  const types = given.filter((each) => typeof each === 'string');
  const options = given.find((each) => typeof each === 'object');
  const subscription: SessionSubscription = { types, name: options?.name };
  return (_target, _method, descriptor) => {
    const handler = descriptor.value!;
    Reflect.defineMetadata(ON_SESSION_KEY, [...subscriptionsOf(handler), subscription], handler);
  };
}

/** Returns what the `@OnSession()` of a method ask for; empty for a method without. */
export function subscriptionsOf(method: unknown): readonly SessionSubscription[] {
  if (typeof method !== 'function') return [];
  return (Reflect.getMetadata(ON_SESSION_KEY, method) as SessionSubscription[] | undefined) ?? [];
}
