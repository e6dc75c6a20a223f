import type { Session } from '../../core/session';
import type { SessionManager } from '../../core/session-manager';
import type { SessionStore } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import { sessionIdOf, untyped } from './sessions-over';
import { call } from './store-suite';

/** The state of a session that follows from the answers to its requests. */
interface ExpectedSession {
  /** The acknowledged changes. */
  readonly stamps: Set<number>;
  token: string;
  /** Of the record that the token was written with. */
  version: number;
  ended: boolean;
  /** Epoch milliseconds until which it must exist, unless it is ended. */
  lastsUntil: number;
}

/** What a token must open when a request arrives with it. */
export interface TokenExpectation {
  readonly isDead: boolean;
  readonly stamps: readonly number[];
}

/** What was acknowledged to clients, and where the store violates it. */
export class ExpectedSessions {
  readonly violations: string[] = [];
  readonly #sessions = new Map<SessionId, ExpectedSession>();
  readonly #replaced = new Set<string>();

  expectationOf(token: string | null): TokenExpectation {
    const expected = token === null ? undefined : this.#sessions.get(sessionIdOf(token));
    return {
      isDead: this.#replaced.has(token!) || expected?.ended === true,
      stamps: [...(expected?.stamps ?? [])],
    };
  }

  /** @param version of the record that the token was written with: answers may arrive in another order */
  issue(token: string, version: number): void {
    const expected = this.#sessions.get(sessionIdOf(token));
    if (expected === undefined) {
      this.#sessions.set(sessionIdOf(token), {
        stamps: new Set(),
        token,
        version,
        ended: false,
        lastsUntil: 0,
      });
    } else if (expected.token !== token) {
      const isLater = version > expected.version;
      this.#replaced.add(isLater ? expected.token : token);
      if (isLater) Object.assign(expected, { token, version });
    }
  }

  promise(id: string, stamps: readonly number[], lastsUntil: number): void {
    const expected = this.#sessions.get(id as SessionId);
    if (expected === undefined) return;
    for (const stamp of stamps) expected.stamps.add(stamp);
    expected.lastsUntil = Math.max(expected.lastsUntil, lastsUntil);
  }

  end(id: string): void {
    const expected = this.#sessions.get(id as SessionId);
    if (expected !== undefined) expected.ended = true;
  }

  /** Stops checking a session: whether it has ended is unknown. */
  forget(id: string): void {
    this.#sessions.delete(id as SessionId);
  }

  /** Checks a loaded session. @param name its expected owner */
  check(session: Session, { stamps: promised }: Pick<TokenExpectation, 'stamps'>, name?: string): void {
    const data = untyped(session);
    const stamps = (data.get('stamps') ?? []) as number[];
    const owners = [session.principal?.id ?? name, data.get('owner') ?? name] as (string | undefined)[];
    if (name !== undefined && owners.some((owner) => owner !== name))
      this.violations.push(`${name} was shown the session of ${owners.join(' and ')}`);
    if (data.get('left') !== data.get('right'))
      this.violations.push(`${session.id} is a mixture of two versions`);
    if (new Set(stamps).size !== stamps.length || stamps.length !== (data.get('count') ?? 0))
      this.violations.push(`${session.id} holds a change twice, or half of one`);
    const lost = promised.filter((stamp) => !stamps.includes(stamp));
    if (lost.length > 0)
      this.violations.push(`${session.id} has lost the acknowledged changes ${lost.join()}`);
  }

  /** Checks, when no request is running, that all live sessions exist and no ended session is stored. */
  async inspect(manager: SessionManager, store: SessionStore, now: number): Promise<void> {
    for (const [id, { token, ended, lastsUntil, stamps }] of this.#sessions) {
      if (ended && (await store.find(id, call)) !== null)
        this.violations.push(`${id} is stored after its end`);
      if (ended || lastsUntil <= now) continue;
      const session = await manager.open(token);
      if (session.isNew) this.violations.push(`the last token of ${id} opens nothing, and nothing ended it`);
      else this.check(session, { stamps: [...stamps] });
    }
  }

  /** Checks, after all sessions have expired, that no token opens a session. */
  async assertOver(manager: SessionManager): Promise<void> {
    for (const token of [...this.#replaced, ...[...this.#sessions.values()].map(({ token }) => token)]) {
      if (!(await manager.open(token)).isNew)
        this.violations.push(`a dead token opens ${sessionIdOf(token)} at the end`);
    }
  }
}
