import { keepState, takeOutState } from '../core/login-states';
import { draftOf } from '../core/session';
import { SessionError } from '../core/session.errors';
import type { SessionHandle } from '../requests/session-handle';
import { scopeOf } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';

/** Options of `SessionStateStore` and `withSessionStates`. */
export interface SessionStateOptions {
  /** How long the user may stay at the provider, in milliseconds. @default 600000, ten minutes */
  readonly validFor?: number;
  /** The instance whose session keeps the states. @default 'default' */
  readonly name?: string;
}

const TEN_MINUTES = 600_000;

/** What a strategy gets of a state that is not in the session. */
export const NOT_BEGUN = { message: 'This login was not begun here, or it is over.' };

/** The states of the logins at one provider, each in the session of its request. */
export class SessionStates {
  readonly #validFor: number;
  readonly #name: string;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor(
    private readonly provider: string,
    { validFor = TEN_MINUTES, name = DEFAULT_SESSION }: SessionStateOptions = {},
  ) {
    if (typeof provider !== 'string' || provider === '')
      throw invalid(
        `A strategy needs the name of its provider, such as 'google', got ${JSON.stringify(provider)}`,
      );
    if (!Number.isFinite(validFor) || validFor < 1)
      throw invalid(`validFor must be positive milliseconds, got ${String(validFor)}`);
    this.#validFor = validFor;
    this.#name = name;
  }

  /** Keeps a state, commits the session, and returns the handle of the state. */
  async keep(request: object, value: unknown, given?: string): Promise<string> {
    const handle = this.#handleOf(request);
    const stateHandle = keepState(draftOf(await handle.open()), this.provider, value, this.#validFor, given);
    await handle.commit();
    return stateHandle;
  }

  /** Takes a state out of the session and commits. Returns `null` for what is no handle of one. */
  async take(request: object, stateHandle: unknown): Promise<{ readonly value: unknown } | null> {
    if (typeof stateHandle !== 'string') return null;
    return this.#handleOf(request).taking((draft) => takeOutState(draft, this.provider, stateHandle));
  }

  #handleOf(request: object): SessionHandle {
    return scopeOf(request).handle(this.#name);
  }
}

function invalid(problem: string): SessionError {
  return new SessionError('SESSION_OPTIONS_INVALID', `${problem}.`);
}
