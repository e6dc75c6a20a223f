export { describeSessionStore } from './describe-session-store';
export type { SessionStoreHarness } from './describe-session-store';
export type { StoreFaults } from './store-suite/store-faults';
export type { SessionStoreCapability } from './store-suite/store-suite';
export type { TestRunner } from './store-suite/test-runner';
export { manualClock } from './manual-clock';
export type { ManualClock } from './manual-clock';
export { sessionCookie } from './session-cookie';
export type { TestSession } from './session-cookie';
