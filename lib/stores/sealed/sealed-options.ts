import type { KeyObject } from 'node:crypto';
import { isRepositoryProvider } from '../../core/session-repository';
import type { SessionStore } from '../../core/session-store';
import { SessionError } from '../../core/session.errors';
import { resolveKeys, type SealingKey } from './sealing-keys';

/** How values are made, and where revocations are noted. */
export interface SealingPlan {
  readonly keys: readonly KeyObject[];
  readonly readable: boolean;
  /** `null` to go without. */
  readonly revocations: SessionStore | null;
}

/** What every `SealedSessions` needs. */
export interface SealingOptions {
  /**
   * `[current, ...previous]`, each of at least 32 random bytes. The first one seals, all of them open; what an older one sealed
   * is sealed anew at the next write. Every process needs a key before one of them seals with it: bring a new one in as the
   * last first, then move it to the front.
   */
  readonly keys: readonly SealingKey[];
  /**
   * Signs the session instead of encrypting it: whoever holds the cookie can read it, and nobody can change it.
   * @default false
   */
  readonly readableByClient?: boolean;
}

/** Ends sessions for good. */
export interface RevocableSessions {
  /**
   * Where it is noted that a session was logged out, renewed or revoked: a store that forgets nothing before its time, and that all
   * processes share. The module prepares, sweeps and closes it.
   */
  readonly revocations: SessionStore;
  readonly dangerouslyWithoutRevocation?: false;
}

/** Keeps nothing on the server. */
export interface IrrevocableSessions {
  /**
   * Goes without: logging in or out, renewing and destroying only tell the browser. Whoever copied a cookie before is logged in with
   * it until it expires, and nobody can do anything about it but change the keys, which ends all sessions.
   */
  readonly dangerouslyWithoutRevocation: true;
  readonly revocations?: undefined;
}

/** Options of `SealedSessions`. Whether sessions can be ended has no default. */
export type SealedSessionsOptions = SealingOptions & (RevocableSessions | IrrevocableSessions);

const KNOWN: Record<keyof SealingOptions | keyof RevocableSessions, true> = {
  keys: true,
  readableByClient: true,
  revocations: true,
  dangerouslyWithoutRevocation: true,
};

const METHODS = ['find', 'insert', 'update', 'extend', 'delete'] as const;

/**
 * Refuses what cannot work, everything at once.
 * @throws SessionError `SESSION_OPTIONS_INVALID`, with nothing of a key in it
 */
export function resolveSealing(options: SealedSessionsOptions): SealingPlan {
  if (typeof options !== 'object' || options === null) throw refusal(['they are no object']);
  const { revocations, dangerouslyWithoutRevocation, readableByClient: readable = false } = options;
  const { keys, problems } = resolveKeys(options.keys);
  for (const option of Object.keys(options).filter((each) => !Object.hasOwn(KNOWN, each)))
    problems.push(`${option} is not an option; known are ${Object.keys(KNOWN).join(', ')}`);
  if (typeof readable !== 'boolean') problems.push('readableByClient must be true or false');
  problems.push(...revocationProblems(revocations, dangerouslyWithoutRevocation));
  if (problems.length > 0) throw refusal(problems);
  return { keys, readable, revocations: revocations ?? null };
}

function revocationProblems(store: unknown, without: unknown): string[] {
  if (store === undefined || store === null) {
    if (without === true) return [];
    return [
      'revocations is missing: give a store, so that logging out ends a session, or say dangerouslyWithoutRevocation: true',
    ];
  }
  if (without !== undefined && without !== false)
    return ['revocations and dangerouslyWithoutRevocation exclude each other: remove the latter'];
  if (typeof store !== 'object' || isRepositoryProvider(store))
    return ['revocations must be a SessionStore, such as new TypeOrmSessionStore(…)'];
  return METHODS.filter((method) => typeof (store as Partial<SessionStore>)[method] !== 'function').map(
    (method) => `revocations has no method ${method}(); give a SessionStore`,
  );
}

function refusal(problems: readonly string[]): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `SealedSessions cannot work with these options:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
}
