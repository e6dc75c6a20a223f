import type { Clock } from '../../core/clock';
import { answersInParallel } from '../../core/in-parallel';
import {
  isOtherLogin,
  type LoginSource,
  type LoginStatus,
  type WatchedLogin,
} from '../../core/watched-login';
import type { Revocations } from './revocations';

/**
 * The logins of sealed sessions, as far as the list of revocations tells. The server does not know when a session was last used, so a login
 * expires at its deadline here, not by its idle timeout.
 */
export class SealedLogins implements LoginSource {
  constructor(
    private readonly revocations: Revocations,
    private readonly clock: Clock,
  ) {}

  async statusOf(logins: readonly WatchedLogin[]): Promise<readonly (LoginStatus | null)[]> {
    const statuses = await answersInParallel(logins, (login) => this.#statusOf(login));
    return statuses.map((status) => status ?? null);
  }

  watchEnds(): null {
    return null;
  }

  async #statusOf(login: WatchedLogin): Promise<LoginStatus> {
    const { principal } = login;
    if (login.deadline <= this.clock()) return 'expired';
    const status = await this.revocations.statusOf(login, login.standsSince);
    if (status.kind === 'ended') return 'ended';
    if (status.kind === 'good') return { ...login, expiresAt: login.deadline };
    if (status.principal !== principal) return 'other-login';
    const present = { ...login, ...status.login };
    if (isOtherLogin(login, present)) return 'other-login';
    if (present.deadline <= this.clock()) return 'expired';
    const deadUntil = principal === null ? -Infinity : await this.revocations.deadUntil(principal);
    return present.standsSince <= deadUntil ? 'ended' : { ...present, expiresAt: present.deadline };
  }
}
