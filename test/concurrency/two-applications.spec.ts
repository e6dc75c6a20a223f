import { closeApps, platforms, startApp, type App } from '../support/app';
import { describeStores, type StoreUnderTest } from '../support/stores';
import { Visitor, visitor } from '../support/visitor';
import { Doors, RaceController, does, looks } from './race.controller';

describeStores('two applications over', ({ create }) => {
  let first: StoreUnderTest;
  let second: Pick<StoreUnderTest, 'store' | 'close'>;
  let apps: App[];

  beforeEach(async () => {
    first = await create();
    second = await first.beside();
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
