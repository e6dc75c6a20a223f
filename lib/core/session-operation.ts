import type { Replacement } from './secret-history';
import type { SessionEventReason, SessionEventType } from './session-event';
import type { SessionState } from './session-state';
import type { SessionId } from './session-token';

/** What a change of the secret is called once it is made. */
const REPLACEMENTS = {
  rotate: 'rotated',
  elevate: 'elevated',
  renew: 'renewed',
  login: 'loggedIn',
  logout: 'loggedOut',
} as const satisfies Record<string, Replacement>;

type SecretChange = keyof typeof REPLACEMENTS;

/** From the strictest to the mildest. */
const STRICTEST_FIRST: readonly SecretChange[] = ['logout', 'login', 'renew', 'elevate', 'rotate'];

/** A change, as something that can be done again to a fresher state of the same session. */
export interface Operation {
  /**
   * `take` takes out a value that no other request may get; `lifespan` changes how long the client may keep its token; `data` is any other
   * change that leaves the secret as it is.
   */
  readonly kind: 'data' | 'take' | 'lifespan' | SecretChange;
  readonly apply: (state: SessionState) => void;
}

/** `unchanged`: nothing to write. `changed`: to be written. `destroyed`: ended for good, nothing may follow. */
export type SessionStatus = 'unchanged' | 'changed' | 'destroyed';

/** An event that is emitted once the commit has succeeded. */
export interface Announcement {
  readonly type: SessionEventType;
  /** `null` for the id that the session has then. */
  readonly id: SessionId | null;
  readonly principal: string | null;
  readonly reason: SessionEventReason | null;
}

/** The strictest change of the secret among these operations, or `null` when the secret stays. */
export function strictestOf(operations: readonly Operation[]): Replacement | null {
  const kind = STRICTEST_FIRST.find((each) => operations.some((operation) => operation.kind === each));
  return kind === undefined ? null : REPLACEMENTS[kind];
}
