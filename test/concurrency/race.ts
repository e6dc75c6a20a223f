import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, startApp, type Platform } from '../support/app';
import type { StoreKind } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { Doors, RaceController } from './race.controller';

/** An application in which a test decides who comes first. */
export interface Race {
  readonly doors: Doors;
  readonly clock: ManualClock;
  readonly store: WatchedStore;
  visitor(): Promise<Visitor>;
  end(): Promise<void>;
}

export async function startRace(platform: Platform, kind: StoreKind): Promise<Race> {
  const { store: inner, close } = await kind.create();
  const store = new WatchedStore(inner);
  const clock = manualClock();
  const doors = new Doors();
  const app = await startApp({
    platform,
    options: { store, clock, lifetime: '24h', idleTimeout: '30m' },
    controllers: [RaceController],
    providers: [{ provide: Doors, useValue: doors }],
  });
  return {
    doors,
    clock,
    store,
    visitor: () => visitor(app),
    end: async () => {
      await closeApps();
      await close();
    },
  };
}
