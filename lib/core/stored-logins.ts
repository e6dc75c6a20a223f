import type { Clock } from './clock';
import { inParallel } from './in-parallel';
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
import { watchedLoginOf, type LoginSource, type LoginStatus, type WatchedLogin } from './watched-login';

/** Maximum number of heads that one call reads. */
const HEADS_PER_CALL = 100;

/** The logins of sessions in a store. A login stays the same as long as the version of its record does, so that most need no body. */
export class StoredLogins implements LoginSource {
  constructor(
    private readonly client: StoreClient,
    private readonly clock: Clock,
  ) {}

  async statusOf(logins: readonly WatchedLogin[]): Promise<readonly LoginStatus[]> {
    const ids = [...new Set(logins.map(({ id }) => id))];
    const heads = await this.#headsOf(ids);
    const changed = new Set<SessionId>();
    for (const { id, version } of logins) {
      const head = heads.get(id);
      if (head !== undefined && head.version !== version && !('body' in head)) changed.add(id);
    }
    for (const record of await this.#records([...changed])) heads.set(record.id, record);
    const now = this.clock();
    return logins.map((login) => {
      const head = heads.get(login.id);
      // One that was deleted between the two reads has a head without a body.
      const isGone = head === undefined || (head.version !== login.version && !('body' in head));
      return isGone ? 'ended' : statusOf(login, head, now);
    });
  }

  watchEnds(listener: EndListener): EndSubscription | null {
    const { store } = this.client;
    return isWatchable(store) ? store.watchEnds(listener) : null;
  }

  async #headsOf(ids: readonly SessionId[]): Promise<Map<SessionId, SessionHead | SessionRecord>> {
    const { client } = this;
    const { store } = client;
    if (!isBatchReadable(store))
      return new Map((await this.#records(ids)).map((record) => [record.id, record]));
    const pages: SessionId[][] = [];
    for (let start = 0; start < ids.length; start += HEADS_PER_CALL)
      pages.push(ids.slice(start, start + HEADS_PER_CALL));
    const found = await inParallel(pages, (page) =>
      client.call('findHeads', null, (call) => store.findHeads(page, call)),
    );
    return new Map(found.flat().map((head) => [head.id, head]));
  }

  async #records(ids: readonly SessionId[]): Promise<SessionRecord[]> {
    const found = await inParallel(ids, (id) => this.client.find(id));
    return found.filter((record) => record !== null);
  }
}

function statusOf(login: WatchedLogin, head: SessionHead | SessionRecord, now: number): LoginStatus {
  if (head.principal !== login.principal) return isReadable(head) ? 'other-login' : 'ended';
  if (head.expiresAt <= now) return 'expired';
  try {
    const present = head.version === login.version ? extended(login, head) : changed(login, head, now);
    if (present.startedAt !== login.startedAt || present.actsAs !== login.actsAs) return 'other-login';
    return present.expiresAt <= now ? 'expired' : present;
  } catch (error) {
    if (error instanceof UnreadableBody) return 'ended';
    throw error;
  }
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
