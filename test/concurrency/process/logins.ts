// A process that logs in many times at once: logins.ts <LoginPlan as JSON>. Begins when it reads a line, and prints the token of each login as
// soon as its client would be told, or why it has none.
import { once } from 'node:events';
import type { LimitPolicy } from '../../../lib/core/login-settings';
import { core, machineClock } from '../../support/core';
import { openPlace, type Place } from './place';

export interface LoginPlan {
  readonly place: Place;
  readonly logins: number;
  /** How many principals these logins are of, in turns: `user-0`, `user-1`, … */
  readonly principals: number;
  readonly limit?: { readonly max: number; readonly policy: LimitPolicy };
  /** When the credentials were checked. */
  readonly checkedAt?: number;
}

const { place, logins, principals, limit, checkedAt } = JSON.parse(process.argv[2]!) as LoginPlan;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const { store, close } = await openPlace(place);
  const { manager } = core({
    store,
    storeTimeout: 10_000,
    logins: limit === undefined ? {} : { limit: { ...limit, max: () => limit.max } },
    clock: machineClock,
  });
  print('ready');
  await once(process.stdin, 'data');
  const login = async (principal: number): Promise<void> => {
    const session = await manager.open(null);
    session.login({ id: `user-${principal}` }, checkedAt === undefined ? {} : { checkedAt });
    const outcome = await manager.commit(session).catch(({ code }: { code: string }) => ({ kind: code }));
    if ('token' in outcome) print(`token ${outcome.token}`);
    else print(`end ${outcome.kind}`);
  };
  await Promise.all(Array.from({ length: logins }, (_, index) => login(index % principals)));
  await close();
  process.stdin.destroy();
}

void main();
