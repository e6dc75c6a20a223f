import { core, machineClock } from '../support/core';
import { describeLong, isAll } from '../support/long';
import { describeWith, type Service } from '../support/servers';
import { POLICIES, Told } from './limit-storm';
import { newPlace, openPlace, type OpenPlace, type Place } from './process/place';
import { PROCESSES, startProcesses, type Processes } from './process/processes';

const MAX = 3;
const LOGINS = 50;
const PRINCIPALS = 200;

const storms = (kind: Place['kind']) => (service: () => Service) => {
  let place: Place;
  let open: OpenPlace;
  let told: Told;
  let processes: Processes | undefined;

  const here = () => core({ store: open.store, clock: machineClock, storeTimeout: 10_000 }).manager;

  beforeEach(async () => {
    place = await newPlace(kind, service().url);
    open = await openPlace(place);
    told = new Told({ manager: here() });
  });

  afterEach(async () => {
    processes?.kill();
    await open.close();
  });

  it.each(POLICIES)(
    `L9: %s leaves three usable tokens of ${LOGINS} in each, and there are never more`,
    async (policy) => {
      const endings = new Set<string>();
      const plan = { place, logins: LOGINS, principals: 1, limit: { max: MAX, policy } };
      processes = await startProcesses(plan, (what, text) =>
        what === 'token' ? told.add(text) : endings.add(text),
      );
      let isOver = false;
      const all = processes.ended.then(() => void (isOver = true));
      processes.begin();
      while (!isOver) {
        await told.count();
        await new Promise(setImmediate);
      }
      await all;
      const left = await told.count();
      endings.delete('SESSION_LIMIT_REACHED');
      const isEnough = policy === 'refuse' ? left >= 1 : left === MAX;
      expect({ isWithin: told.most <= MAX, isEnough, others: [...endings] }).toEqual({
        isWithin: true,
        isEnough: true,
        others: [],
      });
    },
    120_000,
  );

  it('L8: ending all sessions leaves no login whose credentials were checked before', async () => {
    const manager = here();
    const endings: string[] = [];
    const checkedAt = Date.now();
    const plan = { place, logins: PRINCIPALS, principals: PRINCIPALS, checkedAt };
    processes = await startProcesses(plan, (what, text) =>
      what === 'token' ? told.add(text) : endings.push(text),
    );
    processes.begin();
    const principals = Array.from({ length: PRINCIPALS }, (_, index) => ({ id: `user-${index}` }));
    await Promise.all(principals.map((principal) => manager.endAll(principal)));
    await processes.ended;
    const answers = told.size + endings.length;
    const failures = endings.filter((code) => code !== 'SESSION_LOGIN_OUTDATED');
    expect({ survived: await told.count(), failures, answers }).toEqual({
      survived: 0,
      failures: [],
      answers: PROCESSES * PRINCIPALS,
    });
  }, 120_000);
};

for (const kind of ['postgres', 'redis'] as const) {
  const title = `logins at once in ${PROCESSES} processes on ${kind}`;
  if (isAll) describeWith(kind, title, storms(kind));
  else describeLong(title, () => storms(kind)(() => ({ url: '' }) as Service));
}
