import { toPrincipal, principalKey, type PrincipalInput } from '../../core/principal';
import type { SessionKeeper, SessionKeeperOptions, SessionKeeping } from '../../core/session-keeper';
import type { SessionStore } from '../../core/session-store';
import { isSessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { SealedKeeper, type SealingPlan } from './sealed-keeper';
import { resolveSealing, type SealedSessionsOptions } from './sealed-options';

/**
 * Sessions that live in the cookie itself, encrypted or signed: for small data, and no record of each session on the server. Give
 * it to `SessionModule.forRoot` in the place of a store; handlers, guards and services notice nothing.
 *
 * What needs a record cannot be had: of two requests that change one session at once the later answer wins whole, and a
 * cookie that was copied brings back its older data for as long as it is good.
 */
export class SealedSessions implements SessionKeeping {
  readonly #plan: SealingPlan;
  readonly #keepers = new Set<SealedKeeper>();

  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor(options: SealedSessionsOptions) {
    this.#plan = resolveSealing(options);
  }

  /** For the module: the store that revocations are noted in. */
  get restsOn(): SessionStore | null {
    return this.#plan.revocations;
  }

  /** For the module. */
  keeper(options: SessionKeeperOptions): SessionKeeper {
    const keeper = new SealedKeeper(this.#plan, options, (closed) => this.#keepers.delete(closed));
    this.#keepers.add(keeper);
    return keeper;
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
    await Promise.all(this.#inUse('revoke').map((keeper) => keeper.revoke(id)));
  }

  /**
   * Ends every session that a principal is logged in to, on every process: when a password changes, say. Logins that are committed after it
   * has resolved are good.
   * @throws SessionStoreError; SessionError `PRINCIPAL_INVALID`, `SESSION_MODULE_MISSING` outside of an application,
   * `SESSION_OPTIONS_INVALID` without revocations
   */
  async revokeAll(principal: Pick<PrincipalInput, 'id' | 'realm'>): Promise<void> {
    const key = principalKey(toPrincipal(principal));
    await Promise.all(this.#inUse('revokeAll').map((keeper) => keeper.revokeAll(key)));
  }

  #inUse(method: string): SealedKeeper[] {
    if (this.#plan.revocations === null)
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        `${method}() can end nothing: these SealedSessions go without revocation. Give them revocations, a store.`,
      );
    if (this.#keepers.size > 0) return [...this.#keepers];
    throw new SessionError(
      'SESSION_MODULE_MISSING',
      `${method}() works in an application: give these SealedSessions to SessionModule.forRoot({ store }), and start it first.`,
    );
  }
}
