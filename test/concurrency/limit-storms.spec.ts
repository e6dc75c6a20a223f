import type { LimitPolicy } from '../../lib/core/login-settings';
import { manualClock } from '../../lib/testing/manual-clock';
import { core, type Core } from '../support/core';
import '../support/session-data';
import { describeStores } from '../support/stores';
import { ending } from './endings';

const MAX = 3;
const LOGINS = 200;
const POLICIES: readonly LimitPolicy[] = ['evict-oldest', 'evict-idle', 'refuse'];

/** The tokens that clients were told. One that opens no login never does again. */
class Told {
  #usable = new Set<string>();
  number = 0;
  /** The largest number of usable tokens at one instant. */
  most = 0;

  constructor(private readonly app: Core) {}

  add(token: string): void {
    this.number++;
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
  return { left: await told.count(), most: told.most, told: told.number, endings };
}

describeStores(`${LOGINS} logins of one principal at once, in two processes, with`, (kind) => {
  it.each(POLICIES)(
    'L9: %s leaves three usable tokens, and there are never more',
    async (policy) => {
      const under = await kind.create();
      const beside = await under.beside();
      const options = {
        clock: manualClock(),
        storeTimeout: 10_000,
        logins: { limit: { max: () => MAX, policy } },
      };
      const apps = [core({ store: under.store, ...options }), core({ store: beside.store, ...options })];
      const { most, left, endings } = await storm(apps, LOGINS);
      await beside.close();
      await under.close();
      const unknown = Object.keys(endings).filter((end) => !['issue', 'SESSION_LIMIT_REACHED'].includes(end));
      expect({ most, left, unknown }).toEqual({ most: MAX, left: MAX, unknown: [] });
    },
    30_000,
  );
});
