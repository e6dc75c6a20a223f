import { DEFAULT_LOGIN_SETTINGS, type LoginSettings } from '../../lib/core/login-settings';
import { MemorySessionStore, type SessionCodec, type SessionEvent, type SessionStore } from 'nestjs-tessera';
import type { CommitOutcome } from '../../lib/core/commit-outcome';
import { jsonCodec } from '../../lib/core/session-codec';
import type { ValueSchemas } from '../../lib/core/value-schemas';
import { SessionManager } from '../../lib/core/session-manager';
import type { Session } from '../../lib/core/session';
import type { SessionMeter } from '../../lib/core/session-meter';
import { manualClock, type ManualClock } from '../../lib/testing/manual-clock';
import { WatchedStore } from './watched-store';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The clock of the machine, for tests in several processes. They cannot move it. */
export const machineClock: ManualClock = Object.assign(() => Date.now(), {
  advance: () => Date.now(),
  set: () => Date.now(),
});

/** The core by itself: no framework, no HTTP, a real store. */
export interface Core {
  readonly manager: SessionManager;
  readonly store: WatchedStore;
  readonly clock: ManualClock;
  readonly events: Partial<SessionEvent>[];
  /** What events have happened since the last look, by type. */
  told(): string[];
  /** A request: opens, lets somebody work with the session, commits. */
  request(token: string | null, work?: (session: Session) => void): Promise<CommitOutcome>;
  /** A request that has to end with a token. */
  issued(token: string | null, work: (session: Session) => void): Promise<string>;
}

export interface CoreOptions {
  readonly store?: SessionStore;
  readonly name?: string;
  readonly maxBytes?: number;
  readonly storeTimeout?: number;
  readonly codec?: SessionCodec;
  readonly idleTimeout?: number | null;
  readonly rotateEvery?: number | null;
  readonly lifetime?: number;
  readonly meter?: SessionMeter;
  readonly schemas?: ValueSchemas;
  readonly logins?: Partial<LoginSettings>;
  readonly clock?: ManualClock;
}

export function core({
  store: inner = new MemorySessionStore(),
  name = 'default',
  maxBytes = 65_536,
  storeTimeout = 1000,
  codec = jsonCodec,
  idleTimeout = 30 * MINUTE,
  rotateEvery = null,
  lifetime = DAY,
  meter,
  schemas,
  logins = {},
  clock = manualClock(),
}: CoreOptions = {}): Core {
  const store = new WatchedStore(inner);
  const events: Partial<SessionEvent>[] = [];
  const manager = new SessionManager(store, {
    name,
    clock,
    codec,
    schemas,
    maxBytes,
    storeTimeout,
    rotateEvery,
    logins: { ...DEFAULT_LOGIN_SETTINGS, ...logins },
    persistent: false,
    sealedFor: 'test',
    timeouts: { lifetime, idleTimeout },
    rememberedTimeouts: { lifetime: 30 * DAY, idleTimeout: null },
    emit: (event) => events.push(event),
    ...(meter && { meter }),
  });
  const request: Core['request'] = async (token, work = () => {}) => {
    const session = await manager.open(token);
    work(session);
    return manager.commit(session);
  };
  return {
    manager,
    store,
    clock,
    events,
    request,
    told: () => events.splice(0).map(({ type }) => type!),
    issued: async (token, work) => {
      const decision = await request(token, work);
      if (decision.kind !== 'issue') throw new Error(`expected a token, got ${decision.kind}`);
      return decision.token;
    },
  };
}
