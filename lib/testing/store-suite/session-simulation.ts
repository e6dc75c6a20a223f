import { DEFAULT_LOGIN_SETTINGS } from '../../core/login-settings';
import { draftOf, type Session } from '../../core/session';
import { jsonCodec } from '../../core/session-codec';
import type { SessionEvent } from '../../core/session-event';
import { SessionManager } from '../../core/session-manager';
import type { SessionStore } from '../../core/session-store';
import { SessionError } from '../../core/session.errors';
import { ExpectedSessions } from './expected-sessions';
import { IDLE, LIFETIME, MAX_BYTES, untyped, presentClock } from './sessions-over';

/** A simulated user, whose browser stores the latest token. */
interface SimulatedClient {
  readonly name: string;
  token: string | null;
}

/** One request, and the changes that it makes. */
interface SimulatedRequest {
  readonly token: string | null;
  /** Changes that are not acknowledged yet. */
  stamps: number[];
  /** Sessions that it ends. */
  readonly ending: string[];
  /** Sessions whose token it replaces. */
  readonly renewing: string[];
  /** Whether its changes were refused. */
  superseded: boolean;
}

type Action = 'get' | 'set' | 'update' | 'login' | 'logout' | 'renew' | 'destroy';

/** The actions to draw from; repeated ones are more likely. */
const ACTIONS: readonly Action[] = [
  'get', 'set', 'set', 'update', 'update', 'update', 'update', 'login', 'login', 'renew', 'logout', 'destroy',
]; // prettier-ignore

const CLIENTS = ['ada', 'bob', 'eve'];

/** A random number generator from 0 to below 1, with a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Simulates three clients with overlapping requests over the same data. Each request has its own manager, like a separate process. */
export class SessionSimulation {
  readonly #expected = new ExpectedSessions();
  readonly #clock = presentClock();
  #stamps = 0;

  constructor(
    private readonly stores: readonly SessionStore[],
    private readonly random: () => number,
  ) {}

  /** Each client makes requests, two at a time. Returns the violations in their answers and in the final data. */
  async run(requests: number): Promise<readonly string[]> {
    const line = async (client: SimulatedClient): Promise<void> => {
      for (let n = 0; n < requests / 2; n++) await this.#request(client);
    };
    const clients = CLIENTS.map((name): SimulatedClient => ({ name, token: null }));
    await Promise.all(clients.flatMap((client) => [line(client), line(client)]));
    const manager = this.#manager(() => {});
    await this.#expected.inspect(manager, this.stores[0]!, this.#clock());
    this.#clock.advance(LIFETIME);
    await this.#expected.assertOver(manager);
    manager.close();
    return this.#expected.violations;
  }

  async #request(client: SimulatedClient): Promise<void> {
    if (this.random() < 0.05) this.#clock.advance(Math.floor(this.random() * IDLE));
    const expectation = this.#expected.expectationOf(client.token);
    const request: SimulatedRequest = {
      token: client.token,
      stamps: [],
      ending: [],
      renewing: [],
      superseded: false,
    };
    const manager = this.#manager((event) => this.#hear(event, request));
    try {
      const session = await manager.open(request.token);
      if (!session.isNew) {
        if (expectation.isDead) this.#expected.violations.push(`a dead token opened ${session.id}`);
        this.#expected.check(session, expectation, client.name);
      }
      await this.#dawdle();
      for (let n = this.#below(3); n >= 0 && session.status !== 'destroyed'; n--)
        this.#act(session, client, request);
      await this.#dawdle();
      await this.#commit(manager, session, client, request);
    } catch (error) {
      if (!isRefusedCommit(error)) throw error;
      // Whether these have happened is unknown: the store told neither of the write nor of its outcome.
      [...request.ending, ...request.renewing].forEach((id) => this.#expected.forget(id));
    } finally {
      manager.close();
    }
  }

  #act(session: Session, { name }: SimulatedClient, request: SimulatedRequest): void {
    const data = untyped(session);
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
        return void request.stamps.push(stamp);
      case 'login':
        request.renewing.push(session.id);
        return session.login({ id: name });
      case 'renew':
        request.renewing.push(session.id);
        return session.renewToken();
      case 'logout':
      case 'destroy':
        request.stamps = [];
        request.ending.push(session.id);
        return session[action]();
    }
  }

  async #commit(
    manager: SessionManager,
    session: Session,
    client: SimulatedClient,
    request: SimulatedRequest,
  ): Promise<void> {
    const changed = session.status === 'changed';
    const now = this.#clock();
    const decision = await manager.commit(session);
    request.ending.forEach((id) => this.#expected.end(id));
    if (decision.kind === 'forget' && client.token === request.token) client.token = null;
    if (decision.kind === 'issue') {
      client.token = decision.token;
      this.#expected.issue(decision.token, draftOf(session).base?.version ?? 0);
    }
    if (changed && !request.superseded && !session.isNew)
      this.#expected.promise(session.id, request.stamps, Math.min(session.deadline, now + IDLE));
  }

  #hear({ type, reason, id }: Partial<SessionEvent>, request: SimulatedRequest): void {
    request.superseded ||= reason === 'superseded';
    if (id != null && (type === 'expired' || type === 'destroyed')) this.#expected.end(id);
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
      logins: DEFAULT_LOGIN_SETTINGS,
      persistent: false,
      sealedFor: 'suite',
      emit,
    });
  }

  #below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** Waits for a few turns of the event loop, like a handler. */
  async #dawdle(): Promise<void> {
    for (let turns = this.#below(4); turns > 0; turns--) await new Promise(setImmediate);
  }
}

/** Whether a request ended with a 503, which acknowledges nothing. */
function isRefusedCommit(error: unknown): boolean {
  return (
    error instanceof SessionError &&
    ['SESSION_CONFLICT', 'SESSION_STORE_UNAVAILABLE', 'SESSION_EXPIRED'].includes(error.code)
  );
}
