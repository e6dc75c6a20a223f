import { ImpatientClient } from './impatient-client';
import { DEADLINE, PATIENCE, type Disturbance, type StoreFaults } from './store-faults';
import type { StoreSuite } from './store-suite';

/** What the tests of faults are given besides. */
export interface FaultySuite extends StoreSuite {
  /** The store under a short deadline. */
  readonly client: ImpatientClient;
  /** In milliseconds. */
  readonly deadline: number;
  readonly durable: boolean;
  begin(disturbance: Disturbance): Promise<void>;
  /** Ends what was begun; done after each test in any case. */
  heal(): Promise<void>;
}

/** Adds what tests of faults need to the group that is being described. */
export function faultySuiteOf(
  suite: StoreSuite,
  { deadline = DEADLINE, patience = PATIENCE, durable = false }: StoreFaults,
): FaultySuite {
  let client: ImpatientClient;
  let begun: Disturbance | null = null;

  const faulty: Omit<FaultySuite, keyof StoreSuite> = {
    deadline,
    durable,
    get client() {
      return client;
    },
    async begin(disturbance) {
      begun = disturbance;
      await disturbance.begin();
    },
    async heal() {
      const ending = begun;
      begun = null;
      await ending?.end();
    },
  };

  suite.beforeEach(() => {
    client = new ImpatientClient(suite.store, deadline, patience);
  });

  suite.afterEach(async () => {
    await faulty.heal();
  });

  return Object.create(suite, Object.getOwnPropertyDescriptors(faulty)) as FaultySuite;
}
