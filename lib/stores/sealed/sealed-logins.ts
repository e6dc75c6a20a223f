import type { Clock } from '../../core/clock';
import { answersInParallel } from '../../core/in-parallel';
import type { LoginSource, LoginStatus, WatchedLogin } from '../../core/watched-login';
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
    const { principal, standsSince, deadline } = login;
    if (deadline <= this.clock()) return 'expired';
    const status = await this.revocations.statusOf(login, standsSince);
    if (status.kind === 'ended') return 'ended';
    const present = { ...login, expiresAt: deadline };
    if (status.kind === 'good') return present;
    if (status.principal !== principal) return 'other-login';
    // The list does not tell whether the renewed session stayed when all sessions of its principal were ended. It counts as ended.
    const isRevoked = principal !== null && standsSince <= (await this.revocations.deadUntil(principal));
    return isRevoked ? 'ended' : present;
  }
}
