import { request } from 'node:http';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { MemorySessionStore } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { Doors, RaceController, does, looks, type Found } from './race.controller';

describe.each(platforms)('a slow request of a session that rotates, on %s', (platform) => {
  let app: App;
  let store: WatchedStore;
  let clock: ManualClock;
  let doors: Doors;
  let ada: Visitor;

  const start = async (rotateEvery: 'always' | false): Promise<void> => {
    [store, clock, doors] = [new WatchedStore(new MemorySessionStore()), manualClock(), new Doors()];
    app = await startApp({
      platform,
      options: { store, clock, rotateEvery },
      controllers: [RaceController],
      providers: [{ provide: Doors, useValue: doors }],
    });
    ada = await visitor(app);
    await does(ada, 'login ada', 'visit');
  };
  afterEach(closeApps);

  it.each(['rotate', 'open'])('R16: is no thief when the answer to %s was lost', async (step) => {
    await start(step === 'open' ? 'always' : false);
    await does(await ada.twin(), step);
    clock.advance('20s');
    expect((await looks(ada)).principal).toBe('ada');
  });

  it('R16: costs one read and one write for each rotation', async () => {
    await start('always');
    await does(ada, 'open');
    store.take();
    await does(ada, 'open');
    await looks(await visitor(app));
    expect(store.take()).toEqual(['find', 'update']);
  });

  it('R16: is no thief when its body takes longer than the grace to arrive', async () => {
    await start(false);
    const url = new URL('/do', await app.getUrl());
    const cookie = `__Host-session=${await ada.token()}`;
    const body = JSON.stringify({ steps: ['visit'] });
    const headers = { cookie, 'content-type': 'application/json', 'content-length': body.length };
    const arrived = new Promise<void>((resolve) => app.getHttpServer().once('request', () => resolve()));
    let send!: () => void;
    const answer = new Promise<string>((resolve, reject) => {
      const slow = request(url, { method: 'POST', headers }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text));
      });
      slow.on('error', reject);
      slow.write(body.slice(0, 5));
      send = () => slow.end(body.slice(5));
    });
    await arrived;
    await does(ada, 'rotate');
    await looks(ada);
    clock.advance('11s');
    send();
    const late = JSON.parse(await answer) as Found;
    expect({ late: late.principal, now: (await looks(ada)).principal }).toEqual({ late: 'ada', now: 'ada' });
  });

  it('R16: is no thief when it commits early and answers after a minute', async () => {
    await start(false);
    const slow = does(ada, 'rotate', 'commit', 'wait door');
    await doors.reached('door');
    clock.advance('61s');
    await does(ada, 'open');
    doors.open('door');
    await slow;
    expect((await looks(ada)).principal).toBe('ada');
  });
});
