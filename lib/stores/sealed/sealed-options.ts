import type { KeyObject } from 'node:crypto';
import { isRepositoryProvider } from '../../core/session-repository';
import type { SessionStore } from '../../core/session-store';
import { isLimited } from '../../core/store-capabilities';
import { SessionError } from '../../core/session.errors';
import { resolveKeys, type SealingKey } from './sealing-keys';

/** The validated options. */
export interface SealingPlan {
  readonly keys: readonly KeyObject[];
  readonly readable: boolean;
  /** `null` for no revocation. */
  readonly revocations: SessionStore | null;
}

/** Options of every `SealedSessions`. */
export interface SealingOptions {
  /**
   * `[current, ...previous]`, each of at least 32 random bytes. The first key seals, all keys open. A session sealed with a previous
   * key is sealed with the current one at the next write. To change keys, first add the new key at the end in every process, then
   * move it to the front.
   */
  readonly keys: readonly SealingKey[];
  /**
   * Signs the session but does not encrypt it: the client can read it, and cannot change it.
   * @default false
   */
  readonly readableByClient?: boolean;
}

/** Options for sessions that can be ended on the server. */
export interface RevocableSessions {
  /**
   * The store that records which sessions were logged out, renewed or revoked. It must be shared by all processes, and must not lose
   * a record before it expires: one that states the limit `retention` is refused. The module prepares, sweeps and closes it.
   */
  readonly revocations: SessionStore;
  /** Cannot be combined with `revocations`. */
  readonly dangerouslyWithoutRevocation?: false;
}

/** Options for sessions that cannot be ended on the server, which stores nothing. */
export interface IrrevocableSessions {
  /**
   * Turns revocation off: login, logout, renewal and `destroy` only change the browser's cookie. A cookie copied before stays valid
   * until it expires. The only way to end it earlier is to change the keys, which ends all sessions.
   */
  readonly dangerouslyWithoutRevocation: true;
  /** Cannot be combined with `dangerouslyWithoutRevocation`. */
  readonly revocations?: undefined;
}

/** Options of `SealedSessions`. Either `revocations` or `dangerouslyWithoutRevocation` is required. */
export type SealedSessionsOptions = SealingOptions & (RevocableSessions | IrrevocableSessions);

const SEALED_OPTIONS: Record<keyof SealingOptions | keyof RevocableSessions, true> = {
  keys: true,
  readableByClient: true,
  revocations: true,
  dangerouslyWithoutRevocation: true,
};

const STORE_METHODS = ['find', 'insert', 'update', 'extend', 'delete'] as const;

/**
 * Validates the options, and reports all problems in one error.
 * @throws SessionError `SESSION_OPTIONS_INVALID`; the message contains no part of a key
 */
export function resolveSealing(options: SealedSessionsOptions): SealingPlan {
  if (typeof options !== 'object' || options === null)
    throw invalidSealing(['the options must be an object']);
  const { revocations, dangerouslyWithoutRevocation, readableByClient: readable = false } = options;
  const { keys, problems } = resolveKeys(options.keys);
  for (const option of Object.keys(options).filter((each) => !Object.hasOwn(SEALED_OPTIONS, each)))
    problems.push(`${option} is not an option; known are ${Object.keys(SEALED_OPTIONS).join(', ')}`);
  if (typeof readable !== 'boolean') problems.push('readableByClient must be true or false');
  problems.push(...revocationProblems(revocations, dangerouslyWithoutRevocation));
  if (problems.length > 0) throw invalidSealing(problems);
  return { keys, readable, revocations: revocations ?? null };
}

function revocationProblems(store: unknown, without: unknown): string[] {
  if (store === undefined || store === null) {
    if (without === true) return [];
    return [
      'revocations is missing: pass a store, so that a logout ends the session, or set dangerouslyWithoutRevocation: true',
    ];
  }
  if (without !== undefined && without !== false)
    return ['revocations and dangerouslyWithoutRevocation cannot be combined: remove the latter'];
  if (typeof store !== 'object' || isRepositoryProvider(store))
    return ['revocations must be a SessionStore, such as new TypeOrmSessionStore(…)'];
  if (isLimited(store) && store.limits.includes('retention'))
    return [
      'revocations may be evicted from this store, and sessions that were logged out would be valid again; pass a store that does not evict (for Redis: without allowEviction)',
    ];
  return STORE_METHODS.filter((method) => typeof (store as Partial<SessionStore>)[method] !== 'function').map(
    (method) => `revocations has no method ${method}(); pass a SessionStore`,
  );
}

function invalidSealing(problems: readonly string[]): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `The options of SealedSessions are invalid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
}
