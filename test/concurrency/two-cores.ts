import { core, type Core } from '../support/core';
import type { StoreKind, StoreUnderTest } from '../support/stores';

/** Two processes on one store, new for each test of the describe block that calls this. */
export function twoCores(create: StoreKind['create']): { readonly here: Core; readonly there: Core } {
  const two = {} as { here: Core; there: Core };
  let under: StoreUnderTest;
  let beside: Pick<StoreUnderTest, 'store' | 'close'>;
  beforeEach(async () => {
    under = await create();
    beside = await under.beside();
    two.here = core({ store: under.store });
    two.there = core({ store: beside.store });
  });
  afterEach(async () => {
    await beside.close();
    await under.close();
  });
  return two;
}
