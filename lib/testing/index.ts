/**
 * Clients that are logged in, a clock, a store with faults, and the suite that proves a store.
 * @module nestjs-tessera/testing
 */
export { actingAs } from './acting-as';
export type { ActingOptions } from './acting-as';
export type { BrowserCookie, TestClient } from './test-client';
export { browserAgent } from './browser-agent';
export { describeSessionStore } from './describe-session-store';
export type { SessionStoreHarness } from './describe-session-store';
export type { StoreFaults } from './store-suite/store-faults';
export type { SessionStoreCapability } from './store-suite/store-suite';
export type { TestRunner } from './store-suite/test-runner';
export { fakeSession } from './fake-session';
export type { FakeSession } from './fake-session';
export { expectSession } from './expect-session';
export type { SessionExpectation, TestResponse } from './expect-session';
export { FaultyStore } from './faulty-store';
export type { FaultOptions } from './faulty-store';
export type { StoreOperation } from './intercepted-store';
export { manualClock } from './manual-clock';
export type { ManualClock } from './manual-clock';
