import { join } from 'node:path';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { stores, type StoreUnderTest } from '../support/stores';
import { Visitor, visitor } from '../support/visitor';
import { Doors, RaceController, does, looks } from './race.controller';

/** The same store as another process would have it: a connection of its own, where there is one. */
async function beside({ store, folder }: StoreUnderTest): Promise<Pick<StoreUnderTest, 'store' | 'close'>> {
  if (folder === undefined) return { store, close: async () => {} };
  const database = join(folder, 'app.sqlite');
  const source = await new DataSource({ type: 'better-sqlite3', database, enableWAL: true }).initialize();
  const other = new TypeOrmSessionStore(source);
  const close = async (): Promise<void> => {
    await other.close();
    await source.destroy();
  };
  return { store: other, close };
}

describe.each(stores)('two applications over one $name', ({ create }) => {
  let first: StoreUnderTest;
  let second: Pick<StoreUnderTest, 'store' | 'close'>;
  let apps: App[];

  beforeEach(async () => {
    first = await create();
    second = await beside(first);
    apps = await Promise.all(
      platforms.map((platform, index) =>
        startApp({
          platform,
          options: { store: [first.store, second.store][index]! },
          controllers: [RaceController],
          providers: [Doors],
        }),
      ),
    );
  });

  afterEach(async () => {
    await closeApps();
    await second.close();
    await first.close();
  });

  it('R2: 100 parallel updates, half of them on each, count to exactly 100', async () => {
    const here = await visitor(apps[0]!);
    await does(here, 'theme dark');
    const there = new Visitor(await apps[1]!.getUrl(), here.jar);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => does(index % 2 === 0 ? here : there, 'visit')),
    );
    expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
    expect((await looks(here)).data['visits']).toBe(100);
    expect((await looks(there)).data['visits']).toBe(100);
  });

  it('R3: a logout on the one ends the session on the other', async () => {
    const here = await visitor(apps[0]!);
    await does(here, 'login ada');
    const there = new Visitor(await apps[1]!.getUrl(), await here.jar.clone());
    expect((await looks(there)).principal).toBe('ada');
    await does(here, 'logout');
    expect((await looks(there)).principal).toBeNull();
  });
});
