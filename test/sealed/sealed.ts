import { DEFAULT_LOGIN_SETTINGS, type LoginSettings } from '../../lib/core/login-settings';
import { MemorySessionStore, type Session, type SessionEvent, type SessionStore } from 'nestjs-tessera';
import { SealedSessions, type SealingKey } from 'nestjs-tessera/sealed';
import { jsonCodec } from '../../lib/core/session-codec';
import type { CommitOutcome } from '../../lib/core/commit-outcome';
import { SessionManager } from '../../lib/core/session-manager';
import { manualClock, type ManualClock } from '../../lib/testing/manual-clock';
import { DAY, MINUTE } from '../support/core';
import { WatchedStore } from '../support/watched-store';

/** Two good keys. */
export const KEY = 'Yk2Jf0sV9bHn3xQz7RtLw5EuPcA1gMdK8oXi4TvZyBS';
export const OLD_KEY = 'p9ZrQ4mX1vLc7TgB2nHs8KdWy5FjE0uAoI3tRxVqCzM';

/** Sealed sessions by themselves: no framework, no HTTP; the list is a real store. */
export interface Sealed {
  readonly sealed: SealedSessions;
  readonly manager: SessionManager;
  readonly list: WatchedStore;
  readonly clock: ManualClock;
  readonly events: Partial<SessionEvent>[];
  /** What events have happened since the last look: type and reason. */
  told(): string[];
  /** A request: opens, lets somebody work with the session, commits. */
  request(value: string | null, work?: (session: Session) => void): Promise<CommitOutcome>;
  /** A request that has to end with a value. */
  issued(value: string | null, work: (session: Session) => void): Promise<string>;
  /** What a session that is opened now shows. */
  look<T>(value: string | null, at: (session: Session) => T): Promise<T>;
  /** Another process: the same keys, list and clock. */
  twin(options?: SealedOptions): Sealed;
}

export interface SealedOptions {
  readonly keys?: readonly SealingKey[];
  readonly readableByClient?: boolean;
  /** Goes without a list. */
  readonly without?: true;
  readonly list?: SessionStore;
  readonly clock?: ManualClock;
  readonly name?: string;
  readonly cookie?: string;
  readonly maxBytes?: number;
  readonly storeTimeout?: number;
  readonly lifetime?: number;
  readonly logins?: Partial<LoginSettings>;
  readonly idleTimeout?: number | null;
}

export function sealedCore(options: SealedOptions = {}): Sealed {
  const {
    keys = [KEY],
    readableByClient = false,
    without,
    clock = manualClock(),
    name = 'default',
  } = options;
  const { cookie = '__Host-session', maxBytes = 65_536, storeTimeout = 1000 } = options;
  const { lifetime = DAY, idleTimeout = 30 * MINUTE, logins = {} } = options;
  const inner = options.list ?? new MemorySessionStore();
  const list = new WatchedStore(inner);
  const events: Partial<SessionEvent>[] = [];
  const sealed = new SealedSessions(
    without
      ? { keys, readableByClient, dangerouslyWithoutRevocation: true }
      : { keys, readableByClient, revocations: list },
  );
  const manager = new SessionManager(sealed, {
    name,
    clock,
    codec: jsonCodec,
    maxBytes,
    storeTimeout,
    sealedFor: `cookie ${cookie}`,
    rotateEvery: null,
    logins: { ...DEFAULT_LOGIN_SETTINGS, ...logins },
    persistent: false,
    timeouts: { lifetime, idleTimeout },
    rememberedTimeouts: { lifetime: 30 * DAY, idleTimeout: null },
    emit: (event) => events.push(event),
  });
  const request: Sealed['request'] = async (value, work = () => {}) => {
    const session = await manager.open(value);
    work(session);
    return manager.commit(session, { reach: 'open', capacity: 4096 - cookie.length });
  };
  return {
    sealed,
    manager,
    list,
    clock,
    events,
    request,
    told: () => events.splice(0).map(({ type, reason }) => (reason ? `${type}: ${reason}` : type!)),
    look: async (value, at) => at(await manager.open(value)),
    issued: async (value, work) => {
      const decision = await request(value, work);
      if (decision.kind !== 'issue') throw new Error(`expected a value, got ${decision.kind}`);
      return decision.token;
    },
    twin: (others = {}) => sealedCore({ ...options, list: inner, clock, ...others }),
  };
}

/** A value with one character changed to another of the alphabet. */
export function changed(value: string, at: number): string {
  const other = value[at] === 'A' ? 'B' : 'A';
  return value.slice(0, at) + other + value.slice(at + 1);
}
