import type { Clock } from './clock';
import { answersInParallel } from './in-parallel';
import { UnreadableBody } from './session-body';
import type { SessionRecord } from './session-record';
import type { SessionId } from './session-token';
import {
  isBatchReadable,
  isWatchable,
  type EndListener,
  type EndSubscription,
  type SessionHead,
} from './store-capabilities';
import type { StoreClient } from './store-client';
import {
  isOtherLogin,
  watchedLoginOf,
  type LoginSource,
  type LoginStatus,
  type WatchedLogin,
} from './watched-login';

/** Maximum number of heads that one call reads. */
const HEADS_PER_CALL = 100;

/** What a store has answered: `null` for a session that it does not have. Those whose read failed are not in it. */
type Found<T> = Map<SessionId, T | null>;

/** The logins of sessions in a store. A login stays the same as long as the version of its record does, so that most need no body. */
export class StoredLogins implements LoginSource {
  constructor(
    private readonly client: StoreClient,
    private readonly clock: Clock,
  ) {}

  async statusOf(logins: readonly WatchedLogin[]): Promise<readonly (LoginStatus | null)[]> {
    const ids = [...new Set(logins.map(({ id }) => id))];
    const heads = await this.#headsOf(ids);
    const changed = new Set<SessionId>();
    for (const { id, version } of logins) {
      const head = heads.get(id);
      if (head && head.version !== version && !('body' in head)) changed.add(id);
    }
    for (const id of changed) heads.delete(id);
    for (const [id, record] of await this.#records([...changed])) heads.set(id, record);
    const now = this.clock();
    return logins.map((login) => {
      const head = heads.get(login.id);
      if (head === undefined) return null;
      return head === null ? 'ended' : statusOf(login, head, now);
    });
  }

  watchEnds(listener: EndListener): EndSubscription | null {
    const { store } = this.client;
    return isWatchable(store) ? store.watchEnds(listener) : null;
  }

  async #headsOf(ids: readonly SessionId[]): Promise<Found<SessionHead | SessionRecord>> {
    const { client } = this;
    const { store } = client;
    if (!isBatchReadable(store)) return this.#records(ids);
    const pages: SessionId[][] = [];
    for (let start = 0; start < ids.length; start += HEADS_PER_CALL)
      pages.push(ids.slice(start, start + HEADS_PER_CALL));
    const answers = await answersInParallel(pages, (page) =>
      client.call('findHeads', null, (call) => store.findHeads(page, call)),
    );
    const found: Found<SessionHead> = new Map();
    for (const [index, heads] of answers.entries()) {
      if (heads === undefined) continue;
      for (const id of pages[index]!) found.set(id, null);
      for (const head of heads) found.set(head.id, head);
    }
    return found;
  }

  async #records(ids: readonly SessionId[]): Promise<Found<SessionRecord>> {
    const answers = await answersInParallel(ids, (id) => this.client.find(id));
    const found: Found<SessionRecord> = new Map();
    for (const [index, record] of answers.entries()) if (record !== undefined) found.set(ids[index]!, record);
    return found;
  }
}

/** What became of a login, by the present record of its session. */
export function statusOf(login: WatchedLogin, head: SessionHead | SessionRecord, now: number): LoginStatus {
  if (head.principal !== login.principal) return isReadable(head) ? 'other-login' : 'ended';
  if (head.expiresAt <= now) return 'expired';
  try {
    const present = head.version === login.version ? extended(login, head) : changed(login, head, now);
    if (isOtherLogin(login, present) || isReplaced(login, present)) return 'other-login';
    const { ownFamily } = login;
    return present.expiresAt <= now
      ? 'expired'
      : { ...present, ...(ownFamily !== undefined && { ownFamily }) };
  } catch (error) {
    if (error instanceof UnreadableBody) return 'ended';
    throw error;
  }
}

/** Not by the time of the replacement: the clocks of two processes differ. */
function isReplaced({ secretHash, ownFamily }: WatchedLogin, present: WatchedLogin): boolean {
  if (ownFamily === undefined || present.secretHash === secretHash) return false;
  return present.family !== ownFamily;
}

function extended(login: WatchedLogin, { expiresAt }: SessionHead): WatchedLogin {
  return { ...login, expiresAt: Math.min(expiresAt, login.locksAt ?? Infinity) };
}

function changed({ locksAt }: WatchedLogin, head: SessionHead, now: number): WatchedLogin {
  return watchedLoginOf(head as SessionRecord, locksAt === null ? now : -Infinity);
}

/** Whether a record that has changed is one of a session. Others take its place when it is ended. */
function isReadable(head: SessionHead | SessionRecord): boolean {
  try {
    return watchedLoginOf(head as SessionRecord, 0) !== null;
  } catch {
    return false;
  }
}
