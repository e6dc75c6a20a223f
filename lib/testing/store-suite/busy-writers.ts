import { setTimeout as pause } from 'node:timers/promises';
import { newSessionId, type SessionId } from '../../core/session-token';
import { SessionStoreError } from '../../core/session.errors';
import type { StoreClient } from '../../core/store-client';
import { MINUTE, START } from './records';
import { stampedRecord, type WriteHistory } from './write-history';

const WRITERS = 6;
const SESSIONS = 4;

/** Writers that share a few sessions. They read, update, extend and delete until `stop()`, and record a history. */
export class BusyWriters {
  /** The number of failed calls. */
  failures = 0;
  readonly #sessions: SessionId[] = Array.from({ length: SESSIONS }, () => newSessionId());
  readonly #work: Promise<void>[];
  #stopped = false;
  #steps = 0;

  constructor(
    private readonly client: StoreClient,
    private readonly history: WriteHistory,
  ) {
    this.#work = Array.from({ length: WRITERS }, () => this.#write());
  }

  /** Resolves when all writers have stopped. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#work);
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#step(++this.#steps);
      } catch (error) {
        if (!(error instanceof SessionStoreError)) throw error;
        this.failures++;
        await pause(5); // do not retry in a tight loop
      }
    }
  }

  async #step(step: number): Promise<void> {
    const place = step % SESSIONS;
    const id = this.#sessions[place]!;
    const read = this.history.reading(id);
    const found = await this.client.find(id);
    read(found);
    if (found === null) return this.#begin(place);
    if (step % 11 === 0) return this.#end(id);
    if (step % 5 === 0) return void (await this.client.extend(id, found.version, START + 90 * MINUTE + step));
    const next = stampedRecord(id, found.version + 1);
    this.history.trying(next);
    if (await this.client.update(next, found.version)) this.history.wrote(next);
  }

  async #begin(place: number): Promise<void> {
    const record = stampedRecord(newSessionId(), 1);
    this.#sessions[place] = record.id;
    this.history.trying(record);
    await this.client.insert(record);
    this.history.wrote(record);
  }

  async #end(id: SessionId): Promise<void> {
    this.history.ending(id);
    await this.client.delete(id);
    this.history.ended(id);
  }
}
