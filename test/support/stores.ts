import { MemorySessionStore, type SessionStore } from 'nestjs-tessera';

/** A real store, for as long as a test needs it. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /** Where the store keeps its files, if it has any; SQLite's journals lie beside. */
  readonly file?: string;
  close(): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  create(): Promise<StoreUnderTest>;
}

/** The stores that behavior is proven on: `describe.each(stores)('… on $name', ({ create }) => …)`. */
export const stores: readonly StoreKind[] = [
  {
    name: 'memory',
    create: async () => ({ store: new MemorySessionStore(), close: async () => {} }),
  },
];
