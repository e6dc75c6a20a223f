import type { Session } from '../../core/session';
import type { SessionManager } from '../../core/session-manager';
import type { SessionStore } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import { idOf, notebookOf } from './sessions-over';
import { call } from './store-suite';

/** What is known of a session from the answers of its requests. */
interface Account {
  /** The changes whose request was told that they are stored. */
  readonly stamps: Set<number>;
  token: string;
  /** Of the record that the token was written with. */
  version: number;
  ended: boolean;
  /** It lives until then at least, unless it is ended. */
  lastsUntil: number;
}

/** What a token is good for at the moment when a request comes with it. */
export interface Prospect {
  readonly isDead: boolean;
  readonly stamps: readonly number[];
}

/** What clients have been promised, and how the store breaks it. */
export class PromiseLedger {
  readonly objections: string[] = [];
  readonly #accounts = new Map<SessionId, Account>();
  readonly #replaced = new Set<string>();

  prospectOf(token: string | null): Prospect {
    const account = token === null ? undefined : this.#accounts.get(idOf(token));
    return {
      isDead: this.#replaced.has(token!) || account?.ended === true,
      stamps: [...(account?.stamps ?? [])],
    };
  }

  /** @param version of the record that the token was written with: answers may arrive in another order */
  issue(token: string, version: number): void {
    const account = this.#accounts.get(idOf(token));
    if (account === undefined) {
      this.#accounts.set(idOf(token), { stamps: new Set(), token, version, ended: false, lastsUntil: 0 });
    } else if (account.token !== token) {
      const isLater = version > account.version;
      this.#replaced.add(isLater ? account.token : token);
      if (isLater) Object.assign(account, { token, version });
    }
  }

  promise(id: string, stamps: readonly number[], lastsUntil: number): void {
    const account = this.#accounts.get(id as SessionId);
    if (account === undefined) return;
    for (const stamp of stamps) account.stamps.add(stamp);
    account.lastsUntil = Math.max(account.lastsUntil, lastsUntil);
  }

  end(id: string): void {
    const account = this.#accounts.get(id as SessionId);
    if (account !== undefined) account.ended = true;
  }

  /** Nobody knows any more whether it has ended. */
  forget(id: string): void {
    this.#accounts.delete(id as SessionId);
  }

  /** @param name whose session it ought to be */
  check(session: Session, { stamps: promised }: Pick<Prospect, 'stamps'>, name?: string): void {
    const data = notebookOf(session);
    const stamps = (data.get('stamps') ?? []) as number[];
    const owners = [session.principal?.id ?? name, data.get('owner') ?? name] as (string | undefined)[];
    if (name !== undefined && owners.some((owner) => owner !== name))
      this.objections.push(`${name} was shown the session of ${owners.join(' and ')}`);
    if (data.get('left') !== data.get('right'))
      this.objections.push(`${session.id} is a mixture of two versions`);
    if (new Set(stamps).size !== stamps.length || stamps.length !== (data.get('count') ?? 0))
      this.objections.push(`${session.id} holds a change twice, or half of one`);
    const lost = promised.filter((stamp) => !stamps.includes(stamp));
    if (lost.length > 0)
      this.objections.push(`${session.id} has lost the acknowledged changes ${lost.join()}`);
  }

  /** When all is quiet: what has to be there at this instant is there, and what has ended is not. */
  async inspect(manager: SessionManager, store: SessionStore, now: number): Promise<void> {
    for (const [id, { token, ended, lastsUntil, stamps }] of this.#accounts) {
      if (ended && (await store.find(id, call)) !== null)
        this.objections.push(`${id} is stored after its end`);
      if (ended || lastsUntil <= now) continue;
      const session = await manager.open(token);
      if (session.isNew) this.objections.push(`the last token of ${id} opens nothing, and nothing ended it`);
      else this.check(session, { stamps: [...stamps] });
    }
  }

  /** No token opens anything any more. */
  async assertOver(manager: SessionManager): Promise<void> {
    for (const token of [...this.#replaced, ...[...this.#accounts.values()].map(({ token }) => token)]) {
      if (!(await manager.open(token)).isNew)
        this.objections.push(`a dead token opens ${idOf(token)} at the end`);
    }
  }
}
