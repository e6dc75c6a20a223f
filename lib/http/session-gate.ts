import type { ServerResponse } from 'node:http';
import { reportFailure } from '../requests/session-instance';
import type { SessionScope } from '../requests/session-scope';
import { writeSessionHeaders } from './cache-rules';
import { HeldResponse } from './held-response';
import {
  GATED,
  givenHeaders,
  OutgoingHeaders,
  type GatedMethod,
  type Method,
  type Originals,
} from './node-response';

/** Property of a response that holds its gate. */
const GATE = Symbol('nestjs-tessera.gate');

type Gated = Record<GatedMethod, Method> & { [GATE]: SessionGate };

/**
 * Step 3 of 3 on a request's path: holds the first byte of the response until the commit, and adds the cookie to its headers. Wraps the
 * methods of Node's response, the same on both platforms. They stay wrapped, since other code may have wrapped them again.
 */
export class SessionGate {
  #held: HeldResponse | null = null;
  #open = false;
  readonly #originals: Originals;

  constructor(
    private readonly response: ServerResponse,
    private readonly scope: SessionScope,
  ) {
    const { writeHead, write, end, flushHeaders } = response as unknown as Originals;
    this.#originals = { writeHead, write, end, flushHeaders };
    const methods = response as unknown as Partial<Gated> & { writeHeader?: Method };
    const wrappers = methods[GATE] ? wrappersFor(this) : WRAPPERS;
    Object.assign(methods, { [GATE]: methods[GATE] ?? this }, wrappers);
    // The old name of writeHead.
    if ('writeHeader' in methods) methods.writeHeader = wrappers.writeHead;
  }

  /** Handles a call of a wrapped method. */
  pass(name: GatedMethod, args: unknown[]): unknown {
    if (this.#open) return this.#originals[name].apply(this.response, args);
    if (this.#held !== null) return this.#held.hold(name, args);
    return this.scope.settle() ? this.#begin(name, args) : this.#hold(name, args);
  }

  /** Sends the call at once: there is no commit to wait for. */
  #begin(name: GatedMethod, args: unknown[]): unknown {
    this.scope.seal();
    this.#open = true;
    try {
      return this.#originals[name].apply(this.response, this.#withCookie(name, args));
    } catch (error) {
      // Node refused the call before sending anything. The answer to the error must pass the gate again.
      if (!this.response.headersSent) {
        this.#open = false;
        this.scope.seal(false);
      }
      throw error;
    }
  }

  #hold(name: GatedMethod, args: unknown[]): unknown {
    const held = new HeldResponse(this.response, this.#originals);
    const result = held.hold(name, args);
    this.#held = held;
    this.scope.seal();
    this.scope.instances.track(this.#commit(held));
    return result;
  }

  async #commit(held: HeldResponse): Promise<void> {
    try {
      await this.scope.commit();
    } catch (error) {
      return this.#fail(held, error);
    }
    this.#open = true;
    this.#held = null;
    try {
      held.replay((name, args) => this.#withCookie(name, args));
    } catch (error) {
      // Other code has wrapped the response and threw an error.
      this.#open = false;
      this.#held = held;
      this.#fail(held, error);
    }
  }

  /** Answers with the failure, and with the cookies of other sessions that were committed. */
  #fail(held: HeldResponse, error: unknown): void {
    reportFailure(error);
    try {
      held.replaceByFailure(error, (headers) => writeSessionHeaders(this.scope, headers));
    } catch {
      this.response.destroy();
    }
  }

  /** Returns the arguments of the first call, with the session's headers added to the given ones or set on the response. */
  #withCookie(name: GatedMethod, args: unknown[]): unknown[] {
    // Other code has called Node's own methods directly.
    if (this.response.headersSent) return args;
    const given = name === 'writeHead' ? givenHeaders(args) : undefined;
    const headers = new OutgoingHeaders(this.response, given, this.#originals.writeHead);
    writeSessionHeaders(this.scope, headers);
    return headers.toArguments(args);
  }
}

/** @param inner the gate of a nested application; it runs before the gate of the outer application, which the property holds */
function wrappersFor(inner?: SessionGate): Record<GatedMethod, Method> {
  const wrapper = (name: GatedMethod): Method =>
    function (this: Gated, ...args) {
      return (inner ?? this[GATE]).pass(name, args);
    };
  return Object.fromEntries(GATED.map((name) => [name, wrapper(name)])) as Record<GatedMethod, Method>;
}

/** Shared by all responses: V8 would keep functions created per response, and so the request, until the next major garbage collection. */
const WRAPPERS = wrappersFor();
