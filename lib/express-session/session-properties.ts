import { Logger } from '@nestjs/common';
import { draftOf, type Session } from '../core/session';
import type { DataView, SessionDraft } from '../core/session-draft';
import type { Operation } from '../core/session-operation';
import { getOwn } from '../core/session-state';
import { responseStarted } from '../core/session.errors';

const logger = new Logger('SessionModule');

/** The data of a session as own properties of an object, which application code sets, deletes and changes in place. */
export class SessionProperties implements DataView {
  /** The values that both have, by key. */
  readonly #known = new Map<string, unknown>();
  readonly #draft: SessionDraft;
  readonly #prototype: object;
  #isPulling = false;
  #isReported = false;
  #hasNamed = false;

  /**
   * @param target whose prototype has other properties: no key of that name is taken for data
   * @param isInUse called before the target is looked at. Whether it is still that of the request
   * @param onPull called when that was recorded
   */
  constructor(
    private readonly session: Session,
    private readonly target: Record<string, unknown>,
    private readonly isInUse: () => boolean,
    private readonly onPull: () => void,
  ) {
    this.#draft = draftOf(session);
    this.#prototype = Object.getPrototypeOf(target) as object;
    this.attach();
  }

  pull(): void {
    this.#pull(() => {
      if (!this.#draft.sealed) return this.#exchange();
      const changed = this.#changed();
      if (changed.length > 0) this.reportLate(changed);
    });
  }

  /**
   * Records what was changed, also after the first byte of the response.
   * @throws SessionError `SESSION_RESPONSE_STARTED` when the client would need a token, which the response cannot carry any more
   */
  save(): void {
    this.#pull(() => {
      if (this.#draft.sealed && this.#draft.base === null && this.#changed().length > 0)
        throw responseStarted();
      this.#exchange();
    });
  }

  reset(): void {
    if (this.#draft.view !== this || this.#isPulling) return;
    this.#isPulling = true;
    for (const key of this.#keys()) delete this.target[key];
    this.#known.clear();
    this.#show();
    this.#isPulling = false;
  }

  /** Shows what the session has, in the place of what the target had. */
  attach(): void {
    this.#draft.view = this;
    this.reset();
  }

  /** Leaves the target as it is. */
  detach(): void {
    if (this.#draft.view === this) this.#draft.view = null;
  }

  /** Logs, once, that something was changed too late. */
  reportLate(changed: readonly string[]): void {
    if (this.#isReported) return;
    this.#isReported = true;
    logger.warn(
      `req.session was changed after the response had begun, and that is lost: ${changed.join(', ')}. Change it before the first byte, or call req.session.save() afterwards.`,
    );
  }

  #pull(work: () => void): void {
    if (this.#isPulling || this.#draft.destroyed) return;
    this.#isPulling = true;
    try {
      if (this.isInUse()) work();
    } finally {
      this.#isPulling = false;
    }
  }

  #keys(): string[] {
    return Object.keys(this.target).filter((key) => !(key in this.#prototype));
  }

  /** The keys that the application has set or deleted. express-session takes what is `undefined` for deleted, as JSON does. */
  #changed(): string[] {
    const keys = new Set([...this.#keys(), ...this.#known.keys()]);
    return [...keys].filter((key) => !Object.is(getOwn(this.target, key), this.#known.get(key)));
  }

  #exchange(): void {
    this.#reportNames();
    for (const key of this.#changed()) this.#record(key, getOwn(this.target, key));
    this.#show();
    this.onPull();
  }

  /** A function is no data: other code has wrapped a method. */
  #reportNames(): void {
    if (this.#hasNamed) return;
    const isLost = (key: string): boolean => key in this.#prototype && typeof this.target[key] !== 'function';
    const lost = Object.keys(this.target).filter(isLost);
    if (lost.length === 0) return;
    this.#hasNamed = true;
    logger.warn(
      `req.session.${lost.join(', ')} is not saved: req.session has methods and properties of that name. Choose another key.`,
    );
  }

  /** Values are checked by the commit, which fails with the key of one that is not supported. */
  #record(key: string, value: unknown): void {
    const { data } = this.#draft.state;
    this.#draft.add(value === undefined ? removal(data, key) : this.#draft.values.follow(data, key, value));
    if (value === undefined) this.#known.delete(key);
    else this.#known.set(key, value);
  }

  /** Shows what was changed elsewhere, by reference, so that the commit notices changes in place. */
  #show(): void {
    const { values, state } = this.#draft;
    const { data } = state;
    for (const key of new Set([...Object.keys(data), ...this.#known.keys()])) {
      if (key in this.#prototype) continue;
      const [current, known] = [getOwn(data, key), this.#known.get(key)];
      if (Object.is(current, known)) continue;
      // A replay has put another object in the place of one that was changed meanwhile. What was removed stays so.
      if (current !== undefined && values.isChanged(key, known)) this.#record(key, known);
      else this.#showOne(key, current);
    }
  }

  #showOne(key: string, value: unknown): void {
    if (value === undefined) {
      delete this.target[key];
      this.#known.delete(key);
      return;
    }
    this.target[key] = this.session.get(key as never);
    this.#known.set(key, value);
  }
}

/** Removes a key, and returns the operation that does it again; `null` when it is not set. */
function removal(data: Record<string, unknown>, key: string): Operation | null {
  if (!Object.hasOwn(data, key)) return null;
  delete data[key];
  return { kind: 'data', apply: (state) => delete state.data[key] };
}
