import { MemorySessionStore, type SessionRecord, type SessionStore } from 'nestjs-tessera';
import type { StoreFaults } from 'nestjs-tessera/testing';

/** What each way takes at least, in milliseconds, so that connections can break on both. */
const LATENCY = 2;

const pause = (milliseconds: number): Promise<void> => new Promise((go) => setTimeout(go, milliseconds));

/** A server of sessions in miniature, with everything that can happen to one: what the suite's own tests disturb. */
export class MiniatureServer {
  #data = new MemorySessionStore();
  /** As it is on disk. */
  #saved: readonly SessionRecord[] = [];
  #flows: Promise<void> = Promise.resolve();
  #flow = (): void => {};
  #down = false;
  #delay = 0;
  /** Grows when all connections break. */
  #epoch = 0;

  /** What the suite calls. */
  readonly faults: StoreFaults = {
    deadline: 150,
    recoveryTimeout: 3_000,
    durable: true,
    freeze: () => this.#stop(),
    thaw: () => this.#flow(),
    hang: () => this.#stop(),
    kill: () => this.#cut(),
    restart: () => void (this.#down = false),
    refuse: () => this.#cut(),
    slow: (milliseconds) => void (this.#delay = milliseconds),
    heal: () => {
      this.#flow();
      this.#down = false;
      this.#delay = 0;
    },
  };

  /** One request over the network: it may be lost before the server hears of it, or its answer afterwards. */
  async ask<T>(work: (data: MemorySessionStore) => Promise<T>): Promise<T> {
    const epoch = this.#epoch;
    await pause(LATENCY + this.#delay);
    await this.#flows;
    this.#assertConnected(epoch);
    const answer = await work(this.#data);
    await pause(LATENCY);
    await this.#flows;
    this.#assertConnected(epoch);
    return answer;
  }

  /** Writes everything down, as a server does from time to time that is not durable. */
  async save(): Promise<void> {
    const all: SessionRecord[] = [];
    for await (const record of this.#data.records({ signal: new AbortController().signal })) all.push(record);
    this.#saved = all;
  }

  /** Comes back with what was written down last. */
  async restore(): Promise<void> {
    this.#data = new MemorySessionStore();
    for (const record of this.#saved) await this.#data.insert(record);
    this.#down = false;
  }

  #stop(): void {
    this.#flows = new Promise((resolve) => (this.#flow = resolve));
  }

  #cut(): void {
    this.#down = true;
    this.#epoch++;
  }

  #assertConnected(epoch: number): void {
    if (this.#down || epoch !== this.#epoch) throw new Error('the connection was lost');
  }
}

/** A right store on such a server. */
export class MiniatureStore implements SessionStore {
  constructor(readonly server: MiniatureServer) {}

  find(id: SessionRecord['id']): Promise<SessionRecord | null> {
    return this.server.ask((data) => data.find(id));
  }

  insert(record: SessionRecord): Promise<void> {
    return this.server.ask((data) => data.insert(record));
  }

  update(record: SessionRecord, expectedVersion: number): Promise<boolean> {
    return this.server.ask((data) => data.update(record, expectedVersion));
  }

  extend(id: SessionRecord['id'], expectedVersion: number, expiresAt: number): Promise<boolean> {
    return this.server.ask((data) => data.extend(id, expectedVersion, expiresAt));
  }

  delete(id: SessionRecord['id']): Promise<void> {
    return this.server.ask((data) => data.delete(id));
  }
}
