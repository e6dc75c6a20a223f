import type { Principal } from './principal';
import { newHistory, type SecretHistory } from './secret-history';
import type { Lifespan, Timeouts } from './session-expiry';

/** One flash message. The id tells it from its twins when a parallel request has read some of them. */
export interface FlashEntry {
  readonly id: string;
  readonly kind: string;
  readonly message: unknown;
}

/** What the application keeps in a session, and what belongs to it. */
export interface SessionContent {
  /** The application's values, as own properties whatever their keys. */
  data: Record<string, unknown>;
  /** Encoded one by one, so that no caller holds the original. */
  constants: Record<string, string>;
  messages: FlashEntry[];
  /** Sessions whose data was taken over lately, and which version of it, so that a slower merge does not bring an older one. */
  merged: Record<string, number>;
  /** Marks the last write that took a value out for exactly one request; `null` when none has. */
  receipt: string | null;
}

/** What a session knows of itself. Instants are epoch milliseconds. */
export interface SessionFacts extends Lifespan {
  principal: Principal | null;
  createdAt: number;
  /** From when the lifetime counts: the login, or creation for a visitor. */
  startedAt: number;
  authenticatedAt: number | null;
  lastSeenAt: number;
  deadline: number;
  idleTimeout: number | null;
  remembered: boolean;
  secrets: SecretHistory;
}

/** Everything a session consists of, apart from its id and its secret. Operations change it; records hold it. */
export interface SessionState extends SessionFacts, SessionContent {
  /** The encoded content while it has not been decoded: then the content is empty, and no operation may change it. */
  encodedContent: string | null;
}

/** No content, or content that is still encoded. */
export function emptyContent(encodedContent: string | null = null): Omit<SessionState, keyof SessionFacts> {
  return { data: {}, constants: {}, messages: [], merged: {}, receipt: null, encodedContent };
}

/** The state of a client without a session. */
export function newState(now: number, { lifetime, idleTimeout }: Timeouts): SessionState {
  return {
    ...emptyContent(),
    principal: null,
    createdAt: now,
    startedAt: now,
    authenticatedAt: null,
    lastSeenAt: now,
    deadline: now + lifetime,
    idleTimeout,
    remembered: false,
    secrets: newHistory(now),
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
