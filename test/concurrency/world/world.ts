import { DEFAULT_LOGIN_SETTINGS } from '../../../lib/core/login-settings';
import type { Scheduler } from 'fast-check';
import { jsonCodec, type SessionEvent, type SessionStore } from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import type { Clock } from '../../../lib/core/clock';
import { draftOf, type Session } from '../../../lib/core/session';
import { ownerOf } from '../../../lib/core/rights';
import type { CommitOutcome } from '../../../lib/core/commit-outcome';
import { SessionManager } from '../../../lib/core/session-manager';
import { parseToken } from '../../../lib/core/session-token';
import { SessionError } from '../../../lib/core/session.errors';
import { visits, type Action, type Plan, type Visit } from './visit';
import { Witness, rightsText } from './witness';

const NAME = 'default';
const PROCESSES = 2;
export const IDLE = 1_000;
const LIFETIME = 5_000;

interface Client {
  readonly jars: { main: string | null; side: string | null };
}

/** Stamps by key. */
type Stamps = Map<string, Set<number>>;

/** Stamps that a request has been told are stored, by book: the id of a session, and of one who acts as another a suffix. */
type Ledger = Map<string, Stamps>;

/** Keys as the property test uses them; no application declares them. */
interface Notebook {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  update(key: string, change: (value: unknown) => unknown): void;
}

/** Clients with cookie jars, two processes, one store, and a ledger of what everybody was promised. */
export class World {
  readonly clock = manualClock();
  readonly witness: Witness;
  readonly objections: string[];
  readonly #managers: SessionManager[];
  /** The key that each side session keeps its stamps under. */
  readonly sideKeys = new Map<string, string>();
  readonly #clients: Client[] = [0, 1, 2].map(() => ({ jars: { main: null, side: null } }));
  readonly #pending: Promise<void>[] = [];
  readonly #ledger: Ledger = new Map();
  /** Sessions that have ended, and somebody was told so. */
  readonly #ended = new Set<string>();
  /** Tokens that clients were told, by the hash of their secret. */
  readonly #issued = new Map<string, string>();
  readonly #sideSessions = new Set<string>();
  readonly #taken = new Set<string>();
  /** Stamps that belong to a principal who was acted as. */
  readonly #foreign = new Set<number>();
  #visits = 0;
  #stamps = 0;

  /**
   * @param storeOf what a process puts before the store it shares with the others. @default nothing
   * @param locks whether the idle timeout locks a login
   */
  constructor(
    store: SessionStore,
    scheduler: Scheduler,
    storeOf: (shared: SessionStore, clock: Clock) => SessionStore = (shared) => shared,
    private readonly locks = false,
  ) {
    this.witness = new Witness(store, scheduler, this.clock);
    this.objections = this.witness.objections;
    const timeouts = { lifetime: LIFETIME, idleTimeout: IDLE };
    this.#managers = Array.from(
      { length: PROCESSES },
      () =>
        new SessionManager(storeOf(this.witness, this.clock), {
          codec: jsonCodec,
          clock: this.clock,
          timeouts,
          rememberedTimeouts: timeouts,
          name: NAME,
          maxBytes: 65_536,
          rotateEvery: null,
          logins: { ...DEFAULT_LOGIN_SETTINGS, locksWhenIdle: locks },
          persistent: false,
          sealedFor: 'test',
          storeTimeout: 60_000,
          emit: (event) => this.#hear(event),
        }),
    );
  }

  /** Begins a request and does not wait for it. */
  begin(plan: Plan): void {
    this.#pending.push(this.#visit(plan));
  }

  /** Resolves when every request has been answered. */
  async answered(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** When all is quiet: whatever somebody was promised is still there, and nobody was locked out without a reason. */
  async inspect(): Promise<void> {
    for (const [id, secrets] of this.witness.secrets) {
      const record = this.witness.records.get(id);
      const told = secrets.filter((secret) => this.#issued.has(secret));
      if (this.#ended.has(id) || (record?.expiresAt ?? Infinity) <= this.clock()) continue;
      if (told.length === 0 || this.#sideSessions.has(id)) continue;
      const last = this.#issued.get(record?.secretHash ?? '');
      const session = await this.#managers[0]!.open(last ?? null);
      if (session.isNew) this.objections.push(`the last token of ${id} opens nothing, and nothing ended it`);
      else this.#check(session, this.#promised(bookOf(session)), 'at the end');
    }
    for (const token of this.#issued.values()) {
      const session = await this.#managers[0]!.open(token);
      if (!session.isNew && this.isDead(token)) this.objections.push('a replaced token opens a session');
      this.#checkRights(session, token);
    }
    for (const id of this.#ended) {
      if (this.witness.records.has(id)) this.objections.push(`${id} is stored after its end`);
    }
  }

  async #visit(plan: Plan): Promise<void> {
    const client = this.#clients[plan.client]!;
    const token = client.jars[plan.jar];
    const parsed = token === null ? null : parseToken(token, NAME);
    const visit: Visit = {
      number: ++this.#visits,
      plan,
      secrets: new Set(parsed === null ? [] : [parsed.secretHash]),
      ending: new Set(),
      mergeable: new Set(),
      logins: new Set(),
      superseded: false,
      stale: false,
      answerToLose: plan.loseAnswer,
      arrivedAt: this.clock(),
      deadOnArrival: new Set(this.expired()),
      merged: [],
    };
    try {
      await visits.run(visit, () => new Request(this, client, token, visit).run());
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }

  manager({ process }: Plan): SessionManager {
    return this.#managers[process % PROCESSES]!;
  }

  /** A value that may be taken once. A login that loses to another login goes on with a copy of the session. */
  take(id: string, ticket: unknown): void {
    if (ticket === undefined) return;
    const taken = `ticket ${ticket as number} of ${id}`;
    if (this.#taken.has(taken)) this.objections.push(`${taken} was taken twice`);
    this.#taken.add(taken);
  }

  /** @param isActing whether a principal writes it that acts as another */
  stamp(isActing = false): number {
    const stamp = ++this.#stamps;
    if (isActing) this.#foreign.add(stamp);
    return stamp;
  }

  /** Whether this token is known to open nothing any more. */
  isDead(token: string): boolean {
    return this.causesOfDeath(token).length > 0;
  }

  causesOfDeath(token: string): string[] {
    const id = idOf(token);
    const secrets = this.witness.secrets.get(id) ?? [];
    const later = secrets.slice(secrets.indexOf(hashOf(token)) + 1);
    const isReplaced = later.some((secret) => this.#issued.has(secret) && this.witness.strict.has(secret));
    const causes = { replaced: isReplaced, ended: this.#ended.has(id), expired: this.#isOver(id) };
    return Object.entries(causes).flatMap(([cause, isTrue]) => (isTrue ? [cause] : []));
  }

  /** A token opens what it gave a right to when it was issued, or nothing. */
  checkRights(session: Session, token: string): void {
    this.#checkRights(session, token);
  }

  #checkRights({ isNew, id, principal, pending, actor, locked }: Session, token: string): void {
    const granted = this.witness.rights.get(hashOf(token));
    const shown = rightsText(principal, pending, actor);
    if (locked !== null && shown === NO_RIGHTS) return;
    // An old token from before the login was unlocked.
    const isFormer = this.witness.records.get(id)?.secretHash !== hashOf(token);
    if (this.locks && isFormer && shown === NO_RIGHTS) return;
    if (!isNew && shown !== granted) this.objections.push(`a token of ${id} for ${granted} shows ${shown}`);
  }

  #isOver(id: string): boolean {
    return (this.witness.latestExpiry.get(id) ?? Infinity) <= this.clock();
  }

  isAlive(id: string): boolean {
    return (this.witness.records.get(id)?.expiresAt ?? 0) > this.clock();
  }

  expired(): string[] {
    return [...this.witness.records.values()].filter(({ id }) => !this.isAlive(id)).map(({ id }) => id);
  }

  end(id: string): void {
    this.#ended.add(id);
  }

  issue(token: string, isSide: boolean): void {
    this.#issued.set(hashOf(token), token);
    if (isSide) this.#sideSessions.add(idOf(token));
  }

  promise(book: string, key: string, stamps: Iterable<number>): void {
    const session: Stamps = this.#ledger.get(book) ?? new Map();
    this.#ledger.set(book, session);
    session.set(key, new Set([...(session.get(key) ?? []), ...stamps]));
  }

  /** What has been promised so far. */
  #promised(book: string): Stamps {
    return new Map([...(this.#ledger.get(book) ?? [])].map(([key, stamps]) => [key, new Set(stamps)]));
  }

  /** The same for all books of a session. */
  promised(id: string): Ledger {
    const books = [...this.#ledger.keys()].filter((book) => book.startsWith(id));
    return new Map(books.map((book) => [book, this.#promised(book)]));
  }

  check(session: Session, promised: Ledger, visit: Visit): void {
    const prefix = `client${visit.plan.client}-`;
    for (const each of [session.principal, session.pending, session.locked, session.actor])
      if (each !== null && !each.id.startsWith(prefix))
        this.objections.push(`${prefix} was shown ${each.id}`);
    const owner = (session as unknown as Notebook).get('owner');
    if (owner !== undefined && owner !== prefix)
      this.objections.push(`${prefix} read the data of somebody else`);
    this.#check(session, promised.get(bookOf(session)) ?? new Map(), `to request ${visit.number}`);
  }

  #check(session: Session, promised: Stamps, when: string): void {
    const data = session as unknown as Notebook;
    const acting = data.get('acting') as number | undefined;
    const isActing = draftOf(session).state.actor !== null;
    const written = [data.get('left') ?? [], data.get('stamps') ?? []].flat() as number[];
    // Stamps grow: what is older than the beginning belongs to the real principal.
    const isForeign = (stamp: number): boolean =>
      acting === undefined ? this.#foreign.has(stamp) : stamp < acting;
    if (isActing !== (acting !== undefined) || written.some(isForeign))
      this.objections.push(`the data of another principal was shown ${when}`);
    if (data.get('left') !== data.get('right')) this.objections.push(`two versions were mixed ${when}`);
    const stamps = (data.get('stamps') ?? []) as number[];
    if (new Set(stamps).size !== stamps.length) this.objections.push(`a change was made twice ${when}`);
    if (stamps.length !== (data.get('count') ?? 0)) this.objections.push(`the counter is wrong ${when}`);
    for (const [key, expected] of promised) {
      const found = new Set((data.get(key) ?? []) as number[]);
      const lost = [...expected].filter((stamp) => !found.has(stamp));
      if (lost.length > 0)
        this.objections.push(`acknowledged changes ${key}:${lost.join()} were not shown ${when}`);
    }
  }

  #hear(event: Pick<SessionEvent, 'type'> & Partial<SessionEvent>): void {
    const visit = visits.getStore();
    if (event.type === 'expired' && event.id != null) this.#ended.add(event.id);
    if (event.type === 'destroyed' && event.id != null) this.#ended.add(event.id);
    if (visit === undefined) return;
    if (event.type === 'rejected' && event.reason === 'superseded') visit.superseded = true;
    if (event.type === 'rejected' && event.reason === 'stale-token') visit.stale = true;
    if (event.type === 'destroyed' && event.reason === 'merge' && event.id != null)
      visit.merged.push(event.id);
  }

  /** The stamps that a merged session had been promised. Its values replace those of the session it is merged into. */
  handOver(from: string, to: string): void {
    for (const [key, stamps] of this.#promised(from)) {
      if (!key.startsWith('side')) continue;
      this.#ledger.get(to)?.delete(key);
      this.promise(to, key, stamps);
    }
    this.#ended.add(from);
  }
}

/** One request of one client, from its cookie to its Set-Cookie. */
class Request {
  /** Stamps that were recorded and not yet promised. */
  #unsaid: { suffix: string; key: string; stamp: number }[] = [];
  #retired: string[] = [];
  #session!: Session;

  constructor(
    private readonly world: World,
    private readonly client: Client,
    private readonly token: string | null,
    private readonly visit: Visit,
  ) {}

  async run(): Promise<void> {
    const { world, token, visit } = this;
    const causes = token === null ? [] : world.causesOfDeath(token);
    const promised: Ledger = token === null ? new Map() : world.promised(idOf(token));
    this.#session = await world.manager(visit.plan).open(token);
    if (!this.#session.isNew) {
      // A request that arrived in time may have written meanwhile.
      if (world.causesOfDeath(token!).some((cause) => causes.includes(cause)))
        world.objections.push(`a dead token opened ${this.#session.id} to request ${visit.number}`);
      world.check(this.#session, promised, visit);
      world.checkRights(this.#session, token!);
    }
    const [first, ...rest] = visit.plan.actions;
    if (first !== undefined) await this.#act(first);
    for (const action of rest) {
      if (visit.plan.between === 'commit') await this.#commit();
      const unawaited = visit.plan.between === 'commit unawaited' ? this.#commit() : undefined;
      // As a handler that goes on while its commit is under way: some turns later.
      for (let turn = 0; unawaited !== undefined && turn < 12; turn++) await Promise.resolve();
      // It commits, and commits of one request come one after the other.
      if (action.kind === 'take') await unawaited;
      await this.#act(action);
      await unawaited;
    }
    await this.#commit();
  }

  async #act(action: Action): Promise<void> {
    if (action.kind !== 'take') return this.#do(action);
    const session = this.#session;
    if (session.status === 'destroyed') return;
    const data = session as unknown as Notebook;
    if (data.get('ticket') === undefined) return data.set('ticket', this.world.stamp());
    let isCommitted = false;
    const commit = async (): Promise<void> => {
      isCommitted = await this.#commit();
      if (!isCommitted) throw new NotCommitted();
    };
    const taking = this.world.manager(this.visit.plan).take(session, 'ticket' as never, commit);
    const value: unknown = await taking.catch((error: unknown) => {
      if (!(error instanceof NotCommitted)) throw error;
    });
    if (isCommitted) this.world.take(session.id, value);
  }

  #do(action: Exclude<Action, { kind: 'take' }>): void {
    const session = this.#session;
    if (session.status === 'destroyed') return;
    const data = session as unknown as Notebook;
    const key = this.visit.plan.jar === 'main' ? 'stamps' : this.#sideKey();
    switch (action.kind) {
      case 'get':
        return void data.get('stamps');
      case 'set': {
        const stamp = this.world.stamp(suffixOf(session) !== '');
        data.set('left', stamp);
        data.set('owner', `client${this.visit.plan.client}-`);
        return data.set('right', stamp);
      }
      case 'update': {
        const stamp = this.world.stamp(suffixOf(session) !== '');
        data.update(key, (list = []) => [...(list as number[]), stamp]);
        if (key === 'stamps') data.update('count', (n = 0) => (n as number) + 1);
        return void this.#unsaid.push({ suffix: suffixOf(session), key, stamp });
      }
      case 'mutate': {
        const list = data.get('list') as number[] | undefined;
        return list === undefined ? data.set('list', []) : void list.push(this.world.stamp());
      }
      case 'login':
        return this.#login(`client${this.visit.plan.client}-${action.user}`, action.pending);
      case 'logout':
        if (this.token !== null) this.visit.ending.add(idOf(this.token));
        // With the secret of just before it ends the session.
        if (session.isNew) this.#unsaid = [];
        if (!action.keepData || draftOf(session).state.actor !== null) this.#retire();
        // Where the token was renewed meanwhile nothing can be kept.
        else if (this.#owner !== null) this.visit.ending.add(session.id);
        return session.logout({ keepData: action.keepData });
      case 'elevate':
        return this.#elevate();
      case 'act':
        return this.#actAs();
      case 'stop acting':
        return session.stopActing();
      case 'renew':
        return session.renewToken();
      case 'rotate':
        return session.rotateToken();
      case 'destroy':
        if (this.token !== null) this.visit.ending.add(idOf(this.token));
        this.#retire();
        return session.destroy();
      case 'merge':
        return this.#merge();
    }
  }

  /** Every side session has a key of its own, so that merging two of them loses nothing. */
  #sideKey(): string {
    const known = this.#session.isNew ? undefined : this.world.sideKeys.get(this.#session.id);
    return known ?? `side${this.visit.number}`;
  }

  #login(id: string, pending: boolean): void {
    const isOther = this.#owner !== null && this.#owner !== `default:${id}`;
    const isActing = draftOf(this.#session).state.actor !== null;
    if ((isOther || isActing) && !this.visit.superseded) this.#retire();
    this.#session.login({ id }, { pending });
    this.visit.logins.add(`default:${id}`);
    this.visit.superseded = false;
  }

  get #owner(): string | null {
    return ownerOf(draftOf(this.#session).state);
  }

  #elevate(): void {
    const { principal, pending, locked, actor } = this.#session;
    if (actor !== null || (principal ?? pending ?? locked) === null) return;
    this.#session.elevate({ roles: [`role${this.world.stamp()}`] });
  }

  /** The session is empty then. What it gets goes into a book of its own. */
  #actAs(): void {
    const { principal, actor } = this.#session;
    // One with an old token may not, and one that merges must not: the commit would be refused.
    const mayAct = draftOf(this.#session).rights === null && this.visit.mergeable.size === 0;
    if (principal === null || actor !== null || !mayAct) return;
    this.#session.actAs({ id: `client${this.visit.plan.client}-x` });
    (this.#session as unknown as Notebook).set('acting', this.world.stamp());
  }

  /** What was recorded goes with the session. */
  #retire(): void {
    this.#unsaid = [];
    this.visit.superseded = false;
    this.#retired.push(this.#session.id);
    this.visit.ending.add(this.#session.id);
  }

  #merge(): void {
    const { side } = this.client.jars;
    if (side === null || this.visit.plan.jar === 'side') return;
    if (draftOf(this.#session).state.actor !== null) return;
    this.visit.mergeable.add(idOf(side));
    this.#session.merge(side);
  }

  /** Whether it was answered. */
  async #commit(): Promise<boolean> {
    const { world, visit } = this;
    const unsaid = this.#unsaid.splice(0);
    const retired = this.#retired.splice(0);
    let decision: CommitOutcome;
    try {
      decision = await this.#commitTwice();
    } catch (error) {
      if (isUnavailable(error)) return false;
      throw error;
    }
    for (const id of retired) world.end(id);
    const { id, isNew } = this.#session;
    for (const from of visit.merged.splice(0)) world.handOver(from, id);
    this.#receive(decision);
    // Retired while the commit was under way: what it wrote has gone with the session.
    if (visit.superseded || isNew || this.#retired.length > 0) return true;
    for (const { suffix, key, stamp } of unsaid) world.promise(id + suffix, key, [stamp]);
    return true;
  }

  /** The gate commits once more what an exception filter answered for. */
  #commitTwice(): Promise<CommitOutcome> {
    const manager = this.world.manager(this.visit.plan);
    const commit = manager.commit(this.#session);
    return this.visit.plan.loseAnswer ? commit.catch(() => manager.commit(this.#session)) : commit;
  }

  #receive(decision: CommitOutcome): void {
    const { world, client, token, visit } = this;
    const { jar } = visit.plan;
    if (decision.kind === 'keep') return;
    if (decision.kind === 'forget') {
      // A browser cannot tell, see the notes on late answers to requests of an ended session.
      if (client.jars[jar] === token) client.jars[jar] = null;
      return;
    }
    const id = idOf(decision.token);
    if (
      token !== null &&
      id !== idOf(token) &&
      visit.stale &&
      jar === 'main' &&
      visit.logins.size === 0 &&
      world.isAlive(idOf(token))
    )
      world.objections.push(`a late answer put the token of ${id} in the place of a living one`);
    world.issue(decision.token, jar === 'side');
    if (jar === 'side') world.sideKeys.set(id, this.#sideKey());
    client.jars[jar] = decision.token;
  }
}

const NO_RIGHTS = rightsText(null, null);

function bookOf(session: Session): string {
  return session.id + suffixOf(session);
}

/** That of one who acts as another: each time the session begins empty. */
function suffixOf(session: Session): string {
  const acting = (session as unknown as Notebook).get('acting');
  return acting === undefined ? '' : `/${acting as number}`;
}

function idOf(token: string): string {
  return token.slice(0, token.indexOf('.'));
}

function hashOf(token: string): string {
  return parseToken(token, NAME)!.secretHash;
}

/** A 503: nothing was promised. */
function isUnavailable(error: unknown): boolean {
  return (
    error instanceof SessionError &&
    ['SESSION_CONFLICT', 'SESSION_STORE_UNAVAILABLE', 'SESSION_EXPIRED'].includes(error.code)
  );
}

class NotCommitted extends Error {}
