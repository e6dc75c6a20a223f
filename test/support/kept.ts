import { MemorySessionStore, type SessionModuleOptions } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';

const KEY = 'Yk2Jf0sV9bHn3xQz7RtLw5EuPcA1gMdK8oXi4TvZyBS';

/** The two ways to keep sessions: in a store, and sealed in the cookie. Rows for `describe.each`. */
export const waysToKeep: readonly [
  name: string,
  kept: () => Required<Pick<SessionModuleOptions, 'store'>>,
][] = [
  ['in a store', () => ({ store: new MemorySessionStore() })],
  ['sealed', () => ({ store: new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() }) })],
];
