import type { Scheduler } from 'fast-check';
import type { SessionRecord, SessionStore, StoreCall } from 'nestjs-tessera';
import { visits, type Visit } from './visit';

/**
 * Stands between the managers and a real store: every call waits for the scheduler before it is made and once more before its
 * answer arrives. Keeps a copy of what was written, and objects to every write that nobody had a right to.
 */
export class Witness implements SessionStore {
  readonly records = new Map<string, SessionRecord>();
  /** The latest expiry a session was ever given. */
  readonly latestExpiry = new Map<string, number>();
  readonly objections: string[] = [];
  readonly #everInserted = new Set<string>();

  constructor(
    private readonly inner: SessionStore,
    private readonly scheduler: Scheduler,
    private readonly clock: () => number,
  ) {}

  find(id: SessionRecord['id'], call: StoreCall): Promise<SessionRecord | null> {
    return this.#around('find', id, () => this.inner.find(id, call));
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
    if (before === undefined) return this.#object(`${id} was updated after its end`);
    if (record.version !== before.version + 1)
      this.#object(`${id} went from version ${before.version} to ${record.version}`);
    if (
      !visit?.secrets.has(before.secretHash) &&
      !visit?.mergeable.has(id) &&
      before.expiresAt > this.clock()
    )
      this.#object(`${id} was updated by a request whose token was dead`);
    if (this.#wasDead(visit, before) && record.expiresAt > this.clock())
      this.#object(`${id} had expired and was written to`);
    this.#checkPrincipal(visit, before.principal, record);
    this.#note(visit, record);
  }

  /** Whether it had expired when the commit began, and is so still: a write of somebody else, sent in time, may have arrived since. */
  #wasDead(visit: Visit | undefined, { id, expiresAt }: SessionRecord): boolean {
    return visit?.deadAtCommit.has(id) === true && expiresAt <= this.clock();
  }

  #checkPrincipal(visit: Visit | undefined, before: string | null, { id, principal }: SessionRecord): void {
    if (principal === null || principal === before) return;
    if (!visit?.logins.has(principal)) this.#object(`${id} became ${principal} without a login`);
  }

  #note(visit: Visit | undefined, record: SessionRecord): void {
    this.records.set(record.id, record);
    this.#noteExpiry(record);
    visit?.secrets.add(record.secretHash);
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
