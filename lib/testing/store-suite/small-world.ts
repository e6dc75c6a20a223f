import { draftOf, type Session } from '../../core/session';
import { jsonCodec } from '../../core/session-codec';
import type { SessionEvent } from '../../core/session-event';
import { SessionManager } from '../../core/session-manager';
import type { SessionStore } from '../../core/session-store';
import { SessionError } from '../../core/session.errors';
import { PromiseLedger } from './promise-ledger';
import { IDLE, LIFETIME, MAX_BYTES, notebookOf, presentClock } from './sessions-over';

/** Somebody with a browser, which keeps the token it was given last. */
interface Client {
  readonly name: string;
  token: string | null;
}

/** One request, and what it is up to. */
interface Visit {
  readonly token: string | null;
  /** Changes that nobody has been told of yet. */
  stamps: number[];
  /** Sessions that it means to end. */
  readonly ending: string[];
  /** Whether its changes were refused. */
  superseded: boolean;
}

type Action = 'get' | 'set' | 'update' | 'login' | 'logout' | 'renew' | 'destroy';

/** As often as they are drawn. */
const ACTIONS: readonly Action[] = [
  'get', 'set', 'set', 'update', 'update', 'update', 'update', 'login', 'login', 'renew', 'logout', 'destroy',
]; // prettier-ignore

const CLIENTS = ['ada', 'bob', 'eve'];

/** Numbers from 0 up to 1 that a seed decides (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Three clients whose requests overlap, each request in a process of its own, over one set of records. */
export class SmallWorld {
  readonly #ledger = new PromiseLedger();
  readonly #clock = presentClock();
  #stamps = 0;

  constructor(
    private readonly stores: readonly SessionStore[],
    private readonly random: () => number,
  ) {}

  /** Lets each client make requests, two at a time; says what was wrong with the answers, and with what is left when all is quiet. */
  async run(requests: number): Promise<readonly string[]> {
    const line = async (client: Client): Promise<void> => {
      for (let n = 0; n < requests / 2; n++) await this.#request(client);
    };
    const clients = CLIENTS.map((name): Client => ({ name, token: null }));
    await Promise.all(clients.flatMap((client) => [line(client), line(client)]));
    const manager = this.#manager(() => {});
    await this.#ledger.inspect(manager, this.stores[0]!, this.#clock());
    this.#clock.advance(LIFETIME);
    await this.#ledger.assertOver(manager);
    manager.close();
    return this.#ledger.objections;
  }

  async #request(client: Client): Promise<void> {
    if (this.random() < 0.05) this.#clock.advance(Math.floor(this.random() * IDLE));
    const prospect = this.#ledger.prospectOf(client.token);
    const visit: Visit = { token: client.token, stamps: [], ending: [], superseded: false };
    const manager = this.#manager((event) => this.#hear(event, visit));
    try {
      const session = await manager.open(visit.token);
      if (!session.isNew) {
        if (prospect.isDead) this.#ledger.objections.push(`a dead token opened ${session.id}`);
        this.#ledger.check(session, prospect, client.name);
      }
      await this.#dawdle();
      for (let n = this.#below(3); n >= 0 && session.status !== 'destroyed'; n--)
        this.#act(session, client, visit);
      await this.#dawdle();
      await this.#commit(manager, session, client, visit);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      visit.ending.forEach((id) => this.#ledger.forget(id));
    } finally {
      manager.close();
    }
  }

  #act(session: Session, { name }: Client, visit: Visit): void {
    const data = notebookOf(session);
    const action = ACTIONS[this.#below(ACTIONS.length)]!;
    const stamp = ++this.#stamps;
    switch (action) {
      case 'get':
        return void data.get('stamps');
      case 'set':
        for (const key of ['left', 'right']) data.set(key, stamp);
        return void data.set('owner', name);
      case 'update':
        data.update('stamps', (list = []) => [...(list as number[]), stamp]);
        data.update('count', (count = 0) => (count as number) + 1);
        return void visit.stamps.push(stamp);
      case 'login':
        return session.login({ id: name });
      case 'renew':
        return session.renewToken();
      case 'logout':
      case 'destroy':
        visit.stamps = [];
        visit.ending.push(session.id);
        return session[action]();
    }
  }

  async #commit(manager: SessionManager, session: Session, client: Client, visit: Visit): Promise<void> {
    const changed = session.status === 'changed';
    const now = this.#clock();
    const decision = await manager.commit(session);
    visit.ending.forEach((id) => this.#ledger.end(id));
    if (decision.kind === 'forget' && client.token === visit.token) client.token = null;
    if (decision.kind === 'issue') {
      client.token = decision.token;
      this.#ledger.issue(decision.token, draftOf(session).base?.version ?? 0);
    }
    if (changed && !visit.superseded && !session.isNew)
      this.#ledger.promise(session.id, visit.stamps, Math.min(session.deadline, now + IDLE));
  }

  #hear({ type, reason, id }: Partial<SessionEvent>, visit: Visit): void {
    visit.superseded ||= reason === 'superseded';
    if (id != null && (type === 'expired' || (type === 'destroyed' && reason === 'logout')))
      this.#ledger.end(id);
  }

  #manager(emit: (event: Partial<SessionEvent>) => void): SessionManager {
    const timeouts = { lifetime: LIFETIME, idleTimeout: IDLE };
    return new SessionManager(this.stores[this.#below(this.stores.length)]!, {
      clock: this.#clock,
      timeouts,
      rememberedTimeouts: timeouts,
      storeTimeout: 5_000,
      name: 'suite',
      codec: jsonCodec,
      maxBytes: MAX_BYTES,
      rotateEvery: null,
      sealedFor: 'suite',
      emit,
    });
  }

  #below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** A handler takes its time, some turns of the event loop. */
  async #dawdle(): Promise<void> {
    for (let turns = this.#below(4); turns > 0; turns--) await new Promise(setImmediate);
  }
}

/** A 503: nothing was promised. */
function isUnavailable(error: unknown): boolean {
  return (
    error instanceof SessionError &&
    ['SESSION_CONFLICT', 'SESSION_STORE_UNAVAILABLE', 'SESSION_EXPIRED'].includes(error.code)
  );
}
