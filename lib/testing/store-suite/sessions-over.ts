import { DEFAULT_LOGIN_SETTINGS } from '../../core/login-settings';
import assert from 'node:assert/strict';
import { systemClock, type Clock } from '../../core/clock';
import type { Session } from '../../core/session';
import { jsonCodec } from '../../core/session-codec';
import type { CommitOutcome } from '../../core/commit-outcome';
import type { SessionEvent } from '../../core/session-event';
import { SessionManager } from '../../core/session-manager';
import type { SessionStore } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import { MINUTE } from './records';

export const IDLE = 30 * MINUTE;
export const LIFETIME = 120 * MINUTE;
export const MAX_BYTES = 65_536;

/** A session without declared keys. */
export interface UntypedSession {
  get(key: string): unknown;
  has(key: string): boolean;
  set(key: string, value: unknown): void;
  update(key: string, change: (value: unknown) => unknown): unknown;
}

/** A clock that moves only by `advance`. */
export interface MovableClock extends Clock {
  advance(milliseconds: number): void;
}

/** A session manager over a store, and what tests need with it. */
export interface Sessions {
  readonly manager: SessionManager;
  readonly clock: MovableClock;
  /** The emitted events. */
  readonly events: Partial<SessionEvent>[];
  /** Simulates a request with this token: opens the session, calls `work`, commits. */
  readonly request: (token: string | null, work?: (session: Session) => void) => Promise<CommitOutcome>;
  /** A request that must issue a token; returns the token. */
  readonly issued: (token: string | null, work: (session: Session) => void) => Promise<string>;
}

export function sessionsOver(store: SessionStore, clock = presentClock(), storeTimeout = 10_000): Sessions {
  const events: Partial<SessionEvent>[] = [];
  const timeouts = { lifetime: LIFETIME, idleTimeout: IDLE };
  const manager = new SessionManager(store, {
    clock,
    timeouts,
    storeTimeout,
    name: 'suite',
    codec: jsonCodec,
    maxBytes: MAX_BYTES,
    rotateEvery: null,
    logins: DEFAULT_LOGIN_SETTINGS,
    persistent: false,
    sealedFor: 'suite',
    rememberedTimeouts: timeouts,
    emit: (event) => events.push(event),
  });
  const request: Sessions['request'] = async (token, work) => {
    const session = await manager.open(token);
    work?.(session);
    return manager.commit(session);
  };
  return {
    manager,
    clock,
    events,
    request,
    issued: async (token, work) => {
      const decision = await request(token, work);
      if (decision.kind !== 'issue')
        return assert.fail(`expected the decision 'issue', got '${decision.kind}'`);
      return decision.token;
    },
  };
}

export function untyped(session: Session): UntypedSession {
  return session;
}

export function sessionIdOf(token: string): SessionId {
  return token.slice(0, token.indexOf('.')) as SessionId;
}

/** Starts at the present, because some stores expire by their own clock, and at half a second, because some round to seconds. */
export function presentClock(): MovableClock {
  let now = Math.floor(systemClock() / 1000) * 1000 + 500;
  return Object.assign(() => now, { advance: (milliseconds: number) => void (now += milliseconds) });
}
