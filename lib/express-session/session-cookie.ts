import type { Clock } from '../core/clock';
import { draftOf, type Session } from '../core/session';

/** What `req.session.cookie` says of the lifetime of a session, and changes of it. */
export class SessionCookie {
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #reportLate: () => void;
  /** What was set in a session that is not worth storing yet. */
  #asked: { readonly milliseconds: number; readonly until: number } | null = null;

  /** @internal @param reportLate called when it is changed after the response has begun, which changes nothing */
  constructor(session: Session, clock: Clock, reportLate: () => void) {
    this.#session = session;
    this.#clock = clock;
    this.#reportLate = reportLate;
  }

  /** What {@link maxAge} was set to last, in milliseconds; `null` for a session that ends with the browser. */
  get originalMaxAge(): number | null {
    if (this.#asked !== null) return this.#asked.milliseconds;
    const { remembered, deadline, authenticatedAt, createdAt } = this.#session;
    if (!remembered) return null;
    return draftOf(this.#session).state.own.maxAge ?? deadline - (authenticatedAt ?? createdAt);
  }

  /** Time that is left, in milliseconds; `null` for a session that ends with the browser. */
  get maxAge(): number | null {
    return this.#until === null ? null : this.#until - this.#clock();
  }

  /**
   * Keeps the session over a restart of the browser, until so many milliseconds from now, however often it is used; `null` and `false` let it end
   * with the browser.
   * @throws TypeError for anything else
   */
  set maxAge(milliseconds: number | null | false) {
    if (milliseconds !== null && milliseconds !== false && typeof milliseconds !== 'number')
      throw new TypeError(
        `cookie.maxAge must be a number of milliseconds or null, got ${typeof milliseconds}`,
      );
    if (draftOf(this.#session).sealed) {
      this.#reportLate();
      return;
    }
    const isKept = typeof milliseconds === 'number';
    this.#asked = isKept ? { milliseconds, until: this.#clock() + milliseconds } : null;
    if (isKept) this.apply();
    else if (this.#session.remembered) this.#session.rememberMe(false);
  }

  /** When it ends; `null` for a session that ends with the browser. */
  get expires(): Date | null {
    return this.#until === null ? null : new Date(this.#until);
  }

  /** Sets `maxAge` to the time until this instant; `null` and `false` let the session end with the browser. */
  set expires(at: Date | null | false) {
    this.maxAge = at instanceof Date ? at.getTime() - this.#clock() : at;
  }

  /** Returns `originalMaxAge` and `expires`, as express-session does. */
  toJSON(): object {
    const { originalMaxAge, expires } = this;
    return { originalMaxAge, expires };
  }

  /** @internal Called when the session may have changed: a lifetime alone is no reason to store one. */
  apply(): void {
    const { base, operations } = draftOf(this.#session);
    if (this.#asked === null || (base === null && operations.length === 0)) return;
    const { milliseconds: maxAge, until } = this.#asked;
    this.#asked = null;
    this.#session.rememberMe();
    this.#session.deadline = until;
    draftOf(this.#session).record('data', (state) => (state.own = { ...state.own, maxAge }));
  }

  get #until(): number | null {
    return this.#asked?.until ?? (this.#session.remembered ? this.#session.deadline : null);
  }
}
