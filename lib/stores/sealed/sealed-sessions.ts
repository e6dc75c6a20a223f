import { toPrincipal, principalKey, type PrincipalInput } from '../../core/principal';
import type { SessionRepository, SessionRepositoryProvider } from '../../core/session-repository';
import type { SessionSettings } from '../../core/session-settings';
import type { SessionStore } from '../../core/session-store';
import { isSessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { KeyRing } from './key-ring';
import { noRevocations } from './no-revocations';
import { RevocationList } from './revocation-list';
import type { Revocations } from './revocations';
import { resolveSealing, type SealedSessionsOptions, type SealingPlan } from './sealed-options';
import { SealedRepository } from './sealed-repository';
import { SealedValues } from './sealed-values';

/** One instance that these sessions are given to. */
interface Instance {
  readonly revocations: Revocations;
  readonly settings: SessionSettings;
}

/**
 * Sessions that live in the cookie itself, encrypted or signed: for small data, and no record of each session on the server. Give
 * it to `SessionModule.forRoot` in the place of a store; handlers, guards and services notice nothing.
 *
 * What needs a record cannot be had: of two requests that change one session at once the later answer wins whole, and a
 * cookie that was copied brings back its older data for as long as it is good.
 */
export class SealedSessions implements SessionRepositoryProvider {
  readonly #plan: SealingPlan;
  readonly #instances = new Set<Instance>();

  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor(options: SealedSessionsOptions) {
    this.#plan = resolveSealing(options);
  }

  /** For the module: the store that revocations are noted in. */
  get restsOn(): SessionStore | null {
    return this.#plan.revocations;
  }

  /** For the module. */
  repository(settings: SessionSettings): SessionRepository {
    const { keys, readable, revocations: list } = this.#plan;
    const { name, sealedFor, timeouts, rememberedTimeouts } = settings;
    const longest = Math.max(timeouts.lifetime, rememberedTimeouts.lifetime);
    const ring = new KeyRing(keys, { instance: name, channel: sealedFor, readable });
    const revocations = list === null ? noRevocations : new RevocationList(list, settings, longest);
    const instance: Instance = { revocations, settings };
    this.#instances.add(instance);
    return new SealedRepository(new SealedValues(ring, longest), revocations, settings, () => {
      this.#instances.delete(instance);
    });
  }

  /**
   * Ends a session for good, on every process: no cookie of it opens anything any more. Whether there is one with this id
   * nobody can tell.
   * @param id `session.id`
   * @throws SessionStoreError; SessionError `SESSION_TOKEN_INVALID` for what is no id, `SESSION_MODULE_MISSING` outside of an application,
   * `SESSION_OPTIONS_INVALID` without revocations
   */
  async revoke(id: string): Promise<void> {
    if (!isSessionId(id))
      throw new SessionError(
        'SESSION_TOKEN_INVALID',
        'revoke() needs the public id of a session, session.id.',
      );
    await Promise.all(
      this.#inUse('revoke').map(async ({ revocations, settings }) => {
        await revocations.end(id);
        settings.emit({ type: 'destroyed', id, reason: 'revoked' });
      }),
    );
  }

  /**
   * Ends every session that a principal is logged in to, on every process: when a password changes, say. Logins that are committed after it
   * has resolved are good.
   * @throws SessionStoreError; SessionError `PRINCIPAL_INVALID`, `SESSION_MODULE_MISSING` outside of an application,
   * `SESSION_OPTIONS_INVALID` without revocations
   */
  async revokeAll(principal: Pick<PrincipalInput, 'id' | 'realm'>): Promise<void> {
    const key = principalKey(toPrincipal(principal));
    await Promise.all(
      this.#inUse('revokeAll').map(async ({ revocations, settings }) => {
        await revocations.endAll(key);
        settings.emit({ type: 'destroyed', principal: key, reason: 'revoked' });
      }),
    );
  }

  #inUse(method: string): Instance[] {
    if (this.#plan.revocations === null)
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        `${method}() can end nothing: these SealedSessions go without revocation. Give them revocations, a store.`,
      );
    if (this.#instances.size > 0) return [...this.#instances];
    throw new SessionError(
      'SESSION_MODULE_MISSING',
      `${method}() works in an application: give these SealedSessions to SessionModule.forRoot({ store }), and start it first.`,
    );
  }
}
