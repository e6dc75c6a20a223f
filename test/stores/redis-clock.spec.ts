import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { SessionRecord } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { aRecord, MINUTE, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { closeApps, startApp } from '../support/app';
import { scripted } from '../support/scripted';
import { describeWithPrivate } from '../support/servers';
import { visitor } from '../support/visitor';
import { type OpenClient, redisClients } from './redis-clients';

const HOUR = 60 * MINUTE;
const YEARS = 10 * 365 * 24 * HOUR;

/** How far the application's clock is ahead of the server's. */
const skews: readonly (readonly [name: string, skew: number])[] = [
  ['an hour behind', -HOUR],
  ['as it should be', 0],
  ['an hour ahead', HOUR],
  ['years behind, as in a test', -YEARS],
];

describe.each(redisClients)('RedisSessionStore through $name', ({ open }) => {
  describeWithPrivate('redis', 'with a clock that is not the server’s', (server) => {
    let inspector: Redis;
    let opened: OpenClient;
    let store: RedisSessionStore;
    let warnings: string[];

    beforeAll(async () => {
      inspector = new Redis(server().url);
      opened = await open([server().url]);
    });
    afterAll(async () => {
      await opened.close();
      inspector.disconnect();
    });

    const prepare = async (skew: number) => {
      const clock = () => Date.now() + skew;
      warnings = [];
      store = new RedisSessionStore(opened.client, { prefix: 'p:', closeClient: true });
      await store.prepare({ clock, warn: (message) => warnings.push(message) });
      return clock;
    };
    const timeToLive = ({ id }: SessionRecord) => inspector.pttl(`p:session:${id}`);

    describe.each(skews)('%s', (_, skew) => {
      /** By how much a record may live longer than it must. */
      const longest = Math.max(skew, 0) + MINUTE;

      it('W40: keeps what is inserted, updated and extended as long as the application needs it', async () => {
        const clock = await prepare(skew);
        const record = aRecord({ expiresAt: clock() + 30 * MINUTE });
        await store.insert(record, call);
        const inserted = await timeToLive(record);
        const next = nextOf(record, { expiresAt: clock() + 40 * MINUTE });
        expect(await store.update(next, 1, call)).toBe(true);
        const updated = await timeToLive(record);
        const last = { ...next, expiresAt: clock() + 50 * MINUTE };
        expect(await store.extend(record.id, 2, last.expiresAt, call)).toBe(true);
        const extended = await timeToLive(record);

        expect(await store.find(record.id, call)).toEqual(last);
        for (const [lived, minutes] of [
          [inserted, 30],
          [updated, 40],
          [extended, 50],
        ] as const) {
          expect(lived).toBeGreaterThan((minutes - 1) * MINUTE);
          expect(lived).toBeLessThanOrEqual(minutes * MINUTE + longest);
        }
      });

      it('W40, E5: forgets at once what is expired, and keeps nothing forever', async () => {
        const clock = await prepare(skew);
        const [inserted, updated, extended] = [0, 1, 2].map(() =>
          aRecord({ principal: 'a:ada', expiresAt: clock() + 30 * MINUTE }),
        ) as [SessionRecord, SessionRecord, SessionRecord];
        const past = clock() - MINUTE - Math.max(skew, 0);
        await store.insert({ ...inserted, expiresAt: past }, call);
        for (const record of [updated, extended]) await store.insert(record, call);
        expect(await store.update(nextOf(updated, { expiresAt: past }), 1, call)).toBe(true);
        expect(await store.extend(extended.id, 1, past, call)).toBe(true);
        const left = await Promise.all([inserted, updated, extended].map(timeToLive));
        expect(left).toEqual([-2, -2, -2]); // there is no such key
      });

      it('W40: finds the sessions of a principal as long as they live', async () => {
        const clock = await prepare(skew);
        const principal = `a:${skew}`;
        const record = aRecord({ principal, expiresAt: clock() + 30 * MINUTE });
        await store.insert(record, call);
        let last = record;
        for (let hours = 1; hours < 6; hours++) {
          last = { ...record, expiresAt: clock() + hours * HOUR };
          expect(await store.extend(record.id, 1, last.expiresAt, call)).toBe(true);
          const index = await inspector.pttl(`p:principal:${principal}`);
          expect(index).toBeGreaterThanOrEqual(await timeToLive(record));
        }
        await store.insert(aRecord({ principal, expiresAt: clock() + MINUTE }), call); // drops outdated entries
        expect(await store.findByPrincipal(principal, call)).toContainEqual(last);
        expect(await store.deleteByPrincipal(principal, call)).toBe(2);
      });
    });

    it.each([
      [-HOUR, /The clock of Redis is 60 minutes ahead of the application's\. .* Synchronize the clocks\./],
      [HOUR, /The clock of Redis is 60 minutes behind the application's\./],
    ])('W40: warns of clocks that differ by %p ms, once', async (skew, message) => {
      const clock = await prepare(skew);
      await store.prepare({ clock, warn: (again) => warnings.push(again) });
      expect(warnings).toEqual([expect.stringMatching(message)]);
    });

    it('W40: says nothing about clocks that agree', async () => {
      await prepare(-30_000);
      expect(warnings).toEqual([]);
    });
  });
});

describeWithPrivate('redis', 'an application on Redis whose clock is not the server’s', (server) => {
  const session = scripted();
  afterEach(async () => {
    jest.restoreAllMocks();
    await closeApps();
  });

  it.each(skews)('W40: keeps its users logged in: %s', async (_, skew) => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const client = new Redis(server().url, { lazyConnect: true });
    const store = new RedisSessionStore(client, { prefix: 'p:', closeClient: true });
    const options = { store, clock: () => Date.now() + skew };
    const app = await startApp({ platform: 'express', options, controllers: [session.controller] });
    const ada = await visitor(app);
    await session.run(ada, (s) => s.login({ id: 7 }));
    const answer = await session.run(ada, ({ principal }) => principal?.id ?? null);
    expect({ principal: answer.json<{ result: unknown }>().result, warnings: warn.mock.calls }).toEqual({
      principal: '7',
      warnings: skew === 0 ? [] : [[expect.stringContaining('The clock of Redis is')]],
    });
  });
});
