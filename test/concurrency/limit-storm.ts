import type { SessionStore } from 'nestjs-tessera';
import type { LimitPolicy } from '../../lib/core/login-settings';
import { manualClock } from '../../lib/testing/manual-clock';
import { core, type Core } from '../support/core';
import { ending } from './endings';

const MAX = 3;
export const LOGINS = 200;
export const POLICIES: readonly LimitPolicy[] = ['evict-oldest', 'evict-idle', 'refuse'];

/** The tokens that clients were told. One that opens no login never does again. */
export class Told {
  readonly #usable = new Set<string>();
  /** The largest number of usable tokens at one instant. */
  most = 0;

  constructor(private readonly app: Pick<Core, 'manager'>) {}

  get size(): number {
    return this.#usable.size;
  }

  add(token: string): void {
    this.#usable.add(token);
  }

  /** A token that is found usable afterwards was usable when this call began. */
  async count(): Promise<number> {
    const tokens = [...this.#usable];
    const sessions = await Promise.all(tokens.map((token) => this.app.manager.open(token)));
    const dead = tokens.filter((_, index) => sessions[index]!.principal === null);
    for (const token of dead) this.#usable.delete(token);
    const usable = tokens.length - dead.length;
    this.most = Math.max(this.most, usable);
    return usable;
  }
}

/** What a storm comes to that a limit of three holds against. */
export const HELD = { most: MAX, left: MAX, others: [] };

/** Logs one principal in many times at once, in a process for each of these stores, with a limit of three. */
export async function stormOn(stores: readonly SessionStore[], policy: LimitPolicy, clock = manualClock()) {
  const logins = { limit: { max: () => MAX, policy } };
  const apps = stores.map((store) => core({ store, clock, storeTimeout: 10_000, logins }));
  const { most, left, endings } = await storm(apps, LOGINS);
  const others = Object.keys(endings).filter((end) => !['issue', 'SESSION_LIMIT_REACHED'].includes(end));
  return { most, left, others };
}

/** Logs one principal in everywhere at once, and looks at the tokens whenever a client is told one. */
async function storm(apps: readonly Core[], count: number) {
  const told = new Told(apps[0]!);
  const endings: Record<string, number> = {};
  const logIn = async (n: number): Promise<void> => {
    const { manager, clock } = apps[n % apps.length]!;
    const session = await manager.open(null);
    if (n % 3 === 0) clock.advance(1);
    session.login({ id: 'ada' });
    const commit = manager.commit(session);
    const result = await ending(commit);
    endings[result] = (endings[result] ?? 0) + 1;
    if (result !== 'issue') return;
    const outcome = await commit;
    if (outcome.kind === 'issue') told.add(outcome.token);
    await told.count();
  };
  await Promise.all(Array.from({ length: count }, (_, n) => logIn(n)));
  const left = await told.count();
  return { left, most: told.most, endings };
}
