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

/** Where a response keeps its gate. */
const GATE = Symbol('nestjs-tessera.gate');

type Gated = Record<GatedMethod, Method> & { [GATE]: SessionGate };

/**
 * Step 3 of 3 on a request's path: whichever way the answer comes about, its first byte waits here for the commit, and its
 * headers get the cookie. Sits on Node's own response, the same on both platforms. Methods stay wrapped: others may have wrapped them since.
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
    // Its old name is a second way to the same thing.
    if ('writeHeader' in methods) methods.writeHeader = wrappers.writeHead;
  }

  /** What a wrapped method was called with. */
  pass(name: GatedMethod, args: unknown[]): unknown {
    if (this.#open) return this.#originals[name].apply(this.response, args);
    if (this.#held !== null) return this.#held.take(name, args);
    return this.scope.settle() ? this.#begin(name, args) : this.#hold(name, args);
  }

  /** Nothing to wait for. */
  #begin(name: GatedMethod, args: unknown[]): unknown {
    this.scope.seal();
    this.#open = true;
    try {
      return this.#originals[name].apply(this.response, this.#withCookie(name, args));
    } catch (error) {
      // Refused, so that the response has not begun: whoever answers for the error begins it.
      if (!this.response.headersSent) {
        this.#open = false;
        this.scope.seal(false);
      }
      throw error;
    }
  }

  #hold(name: GatedMethod, args: unknown[]): unknown {
    const held = new HeldResponse(this.response, this.#originals);
    const result = held.take(name, args);
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
      // Whoever wrapped the response had something against it that could not be foreseen.
      this.#open = false;
      this.#held = held;
      this.#fail(held, error);
    }
  }

  /** What other sessions of this request have committed the client still learns. */
  #fail(held: HeldResponse, error: unknown): void {
    reportFailure(error);
    try {
      held.replaceByFailure(error, (headers) => writeSessionHeaders(this.scope, headers));
    } catch {
      this.response.destroy();
    }
  }

  /** The headers of the first call; a call without headers of its own sends those set on the response. */
  #withCookie(name: GatedMethod, args: unknown[]): unknown[] {
    // Somebody has got hold of Node's own methods.
    if (this.response.headersSent) return args;
    const given = name === 'writeHead' ? givenHeaders(args) : undefined;
    const headers = new OutgoingHeaders(this.response, given, this.#originals.writeHead);
    writeSessionHeaders(this.scope, headers);
    return headers.toArguments(args);
  }
}

/** @param inner the gate of an application inside of another one, whose own gate is found under the symbol and comes after it */
function wrappersFor(inner?: SessionGate): Record<GatedMethod, Method> {
  const wrapper = (name: GatedMethod): Method =>
    function (this: Gated, ...args) {
      return (inner ?? this[GATE]).pass(name, args);
    };
  return Object.fromEntries(GATED.map((name) => [name, wrapper(name)])) as Record<GatedMethod, Method>;
}

/** One set for all responses: a function made for each response is kept by V8, and the request with it, until the next major collection. */
const WRAPPERS = wrappersFor();
