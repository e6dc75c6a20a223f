import { newHistory, type SecretHistory } from './secret-history';
import type { Device } from './device';
import { NO_RIGHTS, type Rights } from './rights';
import type { Lifespan, Timeouts } from './session-expiry';

/** A flash message. The id distinguishes equal messages when a concurrent request has read some of them. */
export interface FlashEntry {
  readonly id: string;
  readonly kind: string;
  readonly message: unknown;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Everything in a session except its id and its secret. Operations change it, records contain it. Instants are epoch milliseconds. */
export interface SessionState extends Writable<Required<Lifespan>>, Writable<Rights> {
  /** The application's values, as own properties, whatever their names. */
  data: Record<string, unknown>;
  /** Encoded one by one, so that no caller has the original. */
  constants: Record<string, string>;
  messages: FlashEntry[];
  /** The ids of the last merged sessions and their versions, so that a slower merge does not restore an older one. */
  merged: Record<string, number>;
  /** Identifies the last writes that took out a value for exactly one request, the latest first; `null` for none. See {@link withReceipt}. */
  receipts: string | null;
  /** What the library itself keeps for the session, by name. */
  own: OwnValues;
  /** The encoded content, which is the properties above, until it is decoded. Until then they are empty, and no operation may change it. */
  encodedContent: string | null;
  createdAt: number;
  /** Start of the lifetime: the login, or the creation of an anonymous session. */
  startedAt: number;
  lastSeenAt: number;
  remembered: boolean;
  /** Whether the application has set the deadline of this login or visit. */
  hasOwnDeadline: boolean;
  secrets: SecretHistory;
  /** The client that logged in; `null` when it is not to be recorded, or without a login. */
  device: Device | null;
}

/** Values of the library in a session's content. */
export interface OwnValues {
  /** Until when an operation that needs a fresh proof may be done once: epoch milliseconds, by the operation's name. */
  readonly grants?: Readonly<Record<string, number>>;
  /** What the CSRF tokens of the session are made of, newest last. */
  readonly csrf?: readonly string[];
  /** The path of this site that a visitor was refused, until it is taken. */
  readonly intended?: string;
  /** The last form that is to be shown again, until it is read. */
  readonly input?: FormInput;
  /** The logins at other sites that have begun and not come back, by their handles. */
  readonly states?: Readonly<Record<string, LoginState>>;
  /** What the application keeps of the logged-in user beside the principal: encoded, and the `realm:id` that it is of. */
  readonly user?: { readonly of: string; readonly value: string };
  /** What `req.session.cookie.maxAge` was set to last, in milliseconds. */
  readonly maxAge?: number;
  /** Of a pending login: the end that the application has set for it, also once it is complete. Epoch milliseconds. */
  readonly deadline?: number;
  /** Of a pending login: the end of the session before it, which a logout that keeps the data goes back to. */
  readonly before?: Pick<SessionState, 'deadline' | 'hasOwnDeadline'>;
}

/** What a login at another site needs when the browser comes back. */
export interface LoginState {
  /** The site. */
  readonly provider: string;
  /** Epoch milliseconds. */
  readonly until: number;
  /** Encoded. */
  readonly value: string;
}

/** The fields of a form, by name. */
export type FormFields = Readonly<Record<string, string | string[]>>;

/** A form that is to be shown again. The id distinguishes it from a later one of the same session. */
export interface FormInput {
  readonly id: string;
  readonly fields: FormFields;
}

/** The state of a client without a session. A literal without spread: V8 in Node 20 takes 20 µs to add this many properties to one. */
export function newState(now: number, { lifetime, idleTimeout }: Timeouts): SessionState {
  return {
    createdAt: now,
    startedAt: now,
    lastSeenAt: now,
    deadline: now + lifetime,
    idleTimeout,
    authenticatedAt: null,
    principal: null,
    amr: NO_RIGHTS.amr,
    level: 0,
    isPending: false,
    actor: null,
    isLocking: false,
    device: null,
    remembered: false,
    hasOwnDeadline: false,
    secrets: newHistory(now),
    data: {},
    constants: {},
    messages: [],
    merged: {},
    receipts: null,
    own: {},
    encodedContent: null,
  };
}

/** Sets an own property even where the name is `__proto__`. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else target[key] = value;
}

/** Reads an own property only, so that `constructor` is absent until it is set. */
export function getOwn(target: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(target, key) ? target[key] : undefined;
}
