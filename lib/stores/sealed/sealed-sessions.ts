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

/** A module instance that uses these sessions. */
interface Instance {
  readonly revocations: Revocations;
  readonly settings: SessionSettings;
}

/**
 * Keeps sessions in the cookie itself, encrypted or signed, and no record per session on the server. For small data. Pass it to
 * `SessionModule.forRoot` as the `store`; handlers, guards and services stay the same.
 *
 * Two guarantees of a store are missing. When two requests change one session concurrently, the later answer replaces all data of the
 * other. A client can send an older copy of its cookie, and has the older data again, until that copy expires.
 */
export class SealedSessions implements SessionRepositoryProvider {
  readonly #plan: SealingPlan;
  readonly #instances = new Set<Instance>();

  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor(options: SealedSessionsOptions) {
    this.#plan = resolveSealing(options);
  }

  /** Used by the module: the store of the revocations. */
  get restsOn(): SessionStore | null {
    return this.#plan.revocations;
  }

  /** @internal */
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
   * Ends a session for good, in every process: its cookies are refused from now on. An unknown id is not an error, since the server
   * keeps no list of sessions.
   * @param id `session.id`
   * @throws SessionStoreError; SessionError `SESSION_TOKEN_INVALID` when it is not a session id, `SESSION_MODULE_MISSING` outside an
   * application, `SESSION_OPTIONS_INVALID` without revocations
   */
  async revoke(id: string): Promise<void> {
    if (!isSessionId(id))
      throw new SessionError(
        'SESSION_TOKEN_INVALID',
        'revoke() needs the public id of a session: pass session.id.',
      );
    await Promise.all(
      this.#inUse('revoke').map(async ({ revocations, settings }) => {
        await revocations.revoke(id);
        settings.emit({ type: 'destroyed', id, reason: 'revoked' });
      }),
    );
  }

  /**
   * Ends every session to which a principal is logged in, in every process, for example after a change of password. Logins committed
   * after it has resolved are not affected.
   * @throws SessionStoreError; SessionError `PRINCIPAL_INVALID`, `SESSION_MODULE_MISSING` outside an application,
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
        `${method}() is not possible: these SealedSessions have no revocation. Set the option revocations to a store.`,
      );
    if (this.#instances.size > 0) return [...this.#instances];
    throw new SessionError(
      'SESSION_MODULE_MISSING',
      `${method}() needs a running application: pass these SealedSessions to SessionModule.forRoot({ store }) and start it first.`,
    );
  }
}
