import { setOwn } from '../core/session-state';
import { RequestSession } from './request-session';

/** `request.session` of Fastify, which has the methods of @fastify/session and of @fastify/secure-session besides. */
export class FastifyRequestSession extends RequestSession {
  /** Returns a property of the data, or `undefined`. Never a method of this class. */
  get(key: string): unknown {
    return Object.hasOwn(this, key) ? (this as Record<string, unknown>)[key] : undefined;
  }

  /** Sets a property of the data. @param value `undefined` removes the property */
  set(key: string, value: unknown): void {
    if (value === undefined) delete this[key];
    else setOwn(this, key, value);
  }

  /** Returns a copy of the data. */
  data(): Record<string, unknown> {
    return { ...this };
  }

  /** Ends the session and its data. The next write begins another one. */
  delete(): void {
    void this.regenerate();
  }
}
