import type { Scheduler } from 'fast-check';
import type { Principal, SessionRecord, SessionStore, StoreCall } from 'nestjs-tessera';
import { reasonOfEnd } from '../../../lib/core/ended-session';
import { decodeFacts } from '../../../lib/core/session-body';
import { visits, type Visit } from './visit';

/** After these, requests under way have no right to the session. */
const CHANGES_OWNER = ['login', 'logout', 'act'];

/** What a session shows of who uses it, as a text. */
export function rightsText(
  principal: Principal | null,
  pending: Principal | null,
  actor: Principal | null = null,
): string {
  return JSON.stringify({ principal, pending, actor });
}

/**
 * Stands between the managers and a real store: every call waits for the scheduler before it is made and once more before its
 * answer arrives. Keeps a copy of what was written, and objects to every write that nobody had a right to.
 */
export class Witness implements SessionStore {
  readonly records = new Map<string, SessionRecord>();
  /** The latest expiry a session was ever given. */
  readonly latestExpiry = new Map<string, number>();
  readonly objections: string[] = [];
  /** The secrets that each session has had, in order. */
  readonly secrets = new Map<string, string[]>();
  /** What each secret gave a right to when it was first written: never any more than that. */
  readonly rights = new Map<string, string>();
  /** Secrets that replaced another for more than a rotation or more rights. */
  readonly strict = new Set<string>();
  /** How often a principal had logged in to a session, or out of it, when a secret of it was first written. */
  readonly #logins = new Map<string, number>();
  readonly #everInserted = new Set<string>();

  constructor(
    private readonly inner: SessionStore,
    private readonly scheduler: Scheduler,
    private readonly clock: () => number,
  ) {}

  find(id: SessionRecord['id'], call: StoreCall): Promise<SessionRecord | null> {
    return this.#around('find', id, async () => {
      const visit = visits.getStore();
      const record = await this.inner.find(id, call);
      if (visit !== undefined && (record?.expiresAt ?? 0) > visit.arrivedAt) visit.deadOnArrival.delete(id);
      return record;
    });
  }

  insert(record: SessionRecord, call: StoreCall): Promise<void> {
    return this.#around('insert', record.id, async () => {
      const visit = visits.getStore();
      await this.inner.insert(record, call);
      if (this.#everInserted.has(record.id)) this.#object(`${record.id} was inserted twice`);
      this.#everInserted.add(record.id);
      this.#checkPrincipal(visit, null, record);
      this.#note(visit, record);
    });
  }

  update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    this.#noteExpiry(record);
    return this.#around('update', record.id, async () => {
      const visit = visits.getStore();
      const done = await this.inner.update(record, expectedVersion, call);
      if (done) this.#checkUpdate(visit, record);
      return done;
    });
  }

  extend(
    id: SessionRecord['id'],
    expectedVersion: number,
    expiresAt: number,
    call: StoreCall,
  ): Promise<boolean> {
    this.#noteExpiry({ id, expiresAt });
    return this.#around('extend', id, async () => {
      const visit = visits.getStore();
      const done = await this.inner.extend(id, expectedVersion, expiresAt, call);
      const before = this.records.get(id);
      if (!done) return false;
      if (before === undefined) this.#object(`${id} was extended after its end`);
      else {
        if (this.#wasDead(visit, before)) this.#object(`${id} had expired and was extended`);
        this.#note(visit, { ...before, expiresAt });
      }
      return true;
    });
  }

  delete(id: SessionRecord['id'], call: StoreCall): Promise<void> {
    return this.#around('delete', id, async () => {
      const visit = visits.getStore();
      const before = this.records.get(id);
      await this.inner.delete(id, call);
      this.records.delete(id);
      const meant = visit?.ending.has(id) || visit?.mergeable.has(id);
      if (before !== undefined && !meant && before.expiresAt > this.clock())
        this.#object(`${id} was alive, and deleted by a request that did not mean to`);
    });
  }

  #checkUpdate(visit: Visit | undefined, record: SessionRecord): void {
    const { id } = record;
    const before = this.records.get(id);
    const reason = reasonOfEnd(record);
    if (reason !== null)
      return this.#object(`${id} was ended as ${reason}, and no client has a copy of a token`);
    if (before === undefined) return this.#object(`${id} was updated after its end`);
    if (record.version !== before.version + 1)
      this.#object(`${id} went from version ${before.version} to ${record.version}`);
    if (!this.#mayWrite(visit, before) && !visit?.mergeable.has(id) && before.expiresAt > this.clock())
      this.#object(`${id} was updated by a request whose token was dead`);
    if (this.#wasDead(visit, before) && record.expiresAt > this.clock())
      this.#object(`${id} had expired and was written to`);
    this.#checkPrincipal(visit, before.principal, record);
    this.#note(visit, record);
  }

  /** With a secret of this login, whatever has replaced it since. */
  #mayWrite(visit: Visit | undefined, { id, secretHash }: SessionRecord): boolean {
    const login = this.#logins.get(id + secretHash);
    return [...(visit?.secrets ?? [])].some((secret) => this.#logins.get(id + secret) === login);
  }

  /** Whether it had expired when the request arrived, and is so still: a write of another request, sent in time, may have arrived since. */
  #wasDead(visit: Visit | undefined, { id, expiresAt }: SessionRecord): boolean {
    return visit?.deadOnArrival.has(id) === true && expiresAt <= this.clock();
  }

  #checkPrincipal(visit: Visit | undefined, before: string | null, { id, principal }: SessionRecord): void {
    if (principal === null || principal === before) return;
    if (!visit?.logins.has(principal)) this.#object(`${id} became ${principal} without a login`);
  }

  #note(visit: Visit | undefined, record: SessionRecord): void {
    this.#noteSecret(record);
    this.records.set(record.id, record);
    this.#noteExpiry(record);
    visit?.secrets.add(record.secretHash);
  }

  #noteSecret({ id, secretHash, body }: SessionRecord): void {
    const { principal, isPending, actor, secrets } = decodeFacts(body);
    const rights = rightsText(isPending ? null : principal, isPending ? principal : null, actor?.principal);
    const known = this.rights.get(secretHash);
    if (known !== undefined && known !== rights)
      this.#object(`${id} went from ${known} to ${rights} under the same secret`);
    if (known !== undefined) return;
    const before = this.secrets.get(id) ?? [];
    const login = this.#logins.get(id + before.at(-1)) ?? 0;
    const by = secrets.former.at(-1)?.by;
    this.rights.set(secretHash, rights);
    this.secrets.set(id, [...before, secretHash]);
    if (by !== undefined && by !== 'rotate' && by !== 'elevate') this.strict.add(secretHash);
    this.#logins.set(id + secretHash, by !== undefined && CHANGES_OWNER.includes(by) ? login + 1 : login);
  }

  /** From when the write is on its way: it was sent in time, whenever it arrives. */
  #noteExpiry({ id, expiresAt }: Pick<SessionRecord, 'id' | 'expiresAt'>): void {
    this.latestExpiry.set(id, Math.max(this.latestExpiry.get(id) ?? 0, expiresAt));
  }

  #object(text: string): void {
    this.objections.push(text);
  }

  async #around<T>(name: string, id: string, run: () => Promise<T>): Promise<T> {
    const visit = visits.getStore();
    const label = `${visit === undefined ? '' : `request ${visit.number}: `}${name} ${id.slice(0, 4)}`;
    await this.scheduler.schedule(Promise.resolve(), label);
    const answer = await run();
    if (visit?.answerToLose && (name === 'update' || name === 'insert') && answer !== false) {
      visit.answerToLose = false;
      if (name === 'insert') visit.ending.add(id); // under a token that nobody was told
      throw new Error('the answer was lost');
    }
    await this.scheduler.schedule(Promise.resolve(), `${label} answers`);
    return answer;
  }
}
