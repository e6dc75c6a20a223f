import { DeadlineClient } from './deadline-client';
import { CALL_DEADLINE, RECOVERY_TIMEOUT, type Disturbance, type StoreFaults } from './store-faults';
import type { StoreSuite } from './store-suite';

/** What the tests of faults need in addition. */
export interface FaultySuite extends StoreSuite {
  /** The store with a short deadline. */
  readonly client: DeadlineClient;
  /** In milliseconds. */
  readonly deadline: number;
  readonly durable: boolean;
  begin(disturbance: Disturbance): Promise<void>;
  /** Ends the disturbance. Also runs after each test. */
  heal(): Promise<void>;
}

/** Extends a suite for tests of faults; registers hooks in the current `describe`. */
export function faultySuiteOf(
  suite: StoreSuite,
  { deadline = CALL_DEADLINE, recoveryTimeout = RECOVERY_TIMEOUT, durable = false }: StoreFaults,
): FaultySuite {
  let client: DeadlineClient;
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
    client = new DeadlineClient(suite.store, deadline, recoveryTimeout);
  });

  suite.afterEach(async () => {
    await faulty.heal();
  });

  return Object.create(suite, Object.getOwnPropertyDescriptors(faulty)) as FaultySuite;
}
