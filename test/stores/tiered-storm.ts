import type { Scheduler } from 'fast-check';
import { MemorySessionStore, type SessionRecord, type SessionStore } from 'nestjs-tessera';
import { TIER_STATE_ID } from '../../lib/stores/tiered/tier-state';
import { call } from './tiered-processes';

/** What may become of one call to the fast tier: `late` is given up at once, and arrives whenever the scheduler says. */
export type Weather = 'fair' | 'refused' | 'answer lost' | 'late' | 'all forgotten';

/** A real store in memory, reached through a storm: the scheduler decides when a call arrives and when its answer does. */
export class StormyStore implements SessionStore {
  #calls = 0;

  constructor(
    private readonly inner: MemorySessionStore,
    private readonly scheduler: Scheduler,
    /** Of the calls to come, in turn; fair after those. */
    private readonly weather: readonly Weather[],
  ) {}

  find(id: SessionRecord['id']): Promise<SessionRecord | null> {
    return this.#through(`fast find ${id.slice(0, 4)}`, () => this.inner.find(id));
  }

  insert(record: SessionRecord): Promise<void> {
    return this.#through(`fast insert ${record.id.slice(0, 4)}`, () => this.inner.insert(record));
  }

  update(record: SessionRecord, expected: number): Promise<boolean> {
    return this.#through(`fast update ${record.id.slice(0, 4)}`, () => this.inner.update(record, expected));
  }

  extend(id: SessionRecord['id'], expected: number, expiresAt: number): Promise<boolean> {
    return this.#through(`fast extend ${id.slice(0, 4)}`, () => this.inner.extend(id, expected, expiresAt));
  }

  delete(id: SessionRecord['id']): Promise<void> {
    return this.#through(`fast delete ${id.slice(0, 4)}`, () => this.inner.delete(id));
  }

  async #through<T>(label: string, run: () => Promise<T>): Promise<T> {
    const weather = this.weather[this.#calls++] ?? 'fair';
    if (weather === 'refused') throw new Error('refused');
    const arriving = this.scheduler.schedule(Promise.resolve(), `${label} ${weather}`).then(run);
    if (weather === 'late') {
      arriving.catch(() => {});
      throw new Error('given up');
    }
    const answer = await arriving;
    if (weather === 'answer lost') throw new Error('the answer was lost');
    if (weather === 'all forgotten')
      for await (const { id } of this.inner.records(call)) await this.inner.delete(id);
    await this.scheduler.schedule(Promise.resolve(), `${label} answers`);
    return answer;
  }
}

/** The durable tier of a world: its sessions pass a witness, who knows of sessions only. */
export function besideTheWitness(witness: SessionStore, store: SessionStore): SessionStore {
  const of = (id: string) => (id === TIER_STATE_ID ? store : witness);
  return {
    find: (id, given) => of(id).find(id, given),
    insert: (record, given) => of(record.id).insert(record, given),
    update: (record, expected, given) => of(record.id).update(record, expected, given),
    extend: (id, expected, expiresAt, given) => of(id).extend(id, expected, expiresAt, given),
    delete: (id, given) => of(id).delete(id, given),
  };
}
