import type { App, AppUnderTest, Platform } from '../support/app';

/** What a client asks for. `guarded` is behind `AuthGuard`, and answers the id of the principal. */
export type Action = 'read' | 'write' | 'login' | 'logout' | 'guarded';

/** What it gets: a value, or the code of a refusal. */
export type Reply = { readonly value: unknown } | { readonly code: string | undefined };

/** A client at a door. */
export interface Caller {
  ask(action: Action): Promise<Reply>;
  /** Returns the token that it has now. */
  token(): Promise<string | undefined>;
  /** Resolves when the server has closed its socket, with how it did so. Absent where each request has a connection of its own. */
  readonly closed?: Promise<string>;
  close(): void;
}

/** A way into a Nest application. */
export interface Door {
  readonly name: string;
  readonly platform: Platform;
  /** Why it cannot be tested here, or `null`. */
  readonly missing: string | null;
  readonly setUp: Omit<AppUnderTest, 'platform'>;
  /** The code of what it cannot do. */
  readonly cannot: Partial<Record<Action, string>>;
  /** How it closes a socket whose login has ended; `null` where there is none. */
  readonly ending: string | null;
  enter(app: App, token: string | null): Promise<Caller>;
}
