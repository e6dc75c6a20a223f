import type { Principal } from './principal';
import type { Lifespan, Timeouts } from './session-expiry';

/** One flash message. The id tells it from its twins when a parallel request has read some of them. */
export interface FlashEntry {
  readonly id: string;
  readonly kind: string;
  readonly message: unknown;
}

/** Everything a session consists of, apart from its name and its secret. Operations change it; records carry it. */
export interface SessionState extends Lifespan {
  /** The application's values, as own properties whatever their keys. */
  data: Record<string, unknown>;
  /** Encoded one by one, so that nobody holds the original. */
  constants: Record<string, string>;
  messages: FlashEntry[];
  /** Sessions whose data was taken over lately, and which version of it, so that a slower merge does not bring an older one. */
  merged: Record<string, number>;
  principal: Principal | null;
  createdAt: number;
  /** From when the lifetime counts: the login, or creation for a visitor. */
  startedAt: number;
  authenticatedAt: number | null;
  lastSeenAt: number;
  deadline: number;
  idleTimeout: number | null;
  remembered: boolean;
}

/** The state of a client without a session. */
export function newState(now: number, { lifetime, idleTimeout }: Timeouts): SessionState {
  return {
    data: {},
    constants: {},
    messages: [],
    merged: {},
    principal: null,
    createdAt: now,
    startedAt: now,
    authenticatedAt: null,
    lastSeenAt: now,
    deadline: now + lifetime,
    idleTimeout,
    remembered: false,
  };
}

/** Sets an own property even where the name is `__proto__`. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else target[key] = value;
}

/** Reads an own property only, so that `constructor` is absent until somebody sets it. */
export function getOwn(target: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(target, key) ? target[key] : undefined;
}
