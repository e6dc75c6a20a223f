import type { ServerResponse } from 'node:http';
import { reportFailure } from '../requests/session-instance';
import type { SessionScope } from '../requests/session-scope';
import { writeSessionHeaders } from './cache-rules';
import { HeldResponse } from './held-response';
import { GATED, OutgoingHeaders } from './node-response';
import type { Call, GatedMethod, Method, NodeResponse, Originals } from './node-response';

/** Property of a response that holds its gate. */
const GATE = Symbol('nestjs-tessera.gate');

type Gated = Record<GatedMethod, Method> & { [GATE]?: SessionGate; writeHeader?: Method };

/**
 * Step 3 of 3 on a request's path: holds the first byte of the response until the commit, and adds the cookie to its headers. Wraps the
 * methods of Node's response, the same on both platforms. They stay wrapped, since other code may have wrapped them again.
 */
export class SessionGate {
  /** Shared by all responses: V8 would keep functions created per response, and so the request, until the next major garbage collection. */
  static readonly #wrappers = SessionGate.#wrappersFor();

  #held: HeldResponse | null = null;
  #open = false;
  readonly #originals: Originals;

  constructor(
    private readonly response: ServerResponse,
    private readonly scope: SessionScope,
  ) {
    const methods = response as unknown as Gated;
    const { writeHead, write, end, flushHeaders } = methods;
    this.#originals = { writeHead, write, end, flushHeaders };
    const wrappers = methods[GATE] ? SessionGate.#wrappersFor(this) : SessionGate.#wrappers;
    methods[GATE] ??= this;
    Object.assign(methods, wrappers);
    // The old name of writeHead.
    if ('writeHeader' in methods) methods.writeHeader = wrappers.writeHead;
  }

  /** @param inner the gate of a nested application; it runs before the gate of the outer application, which the property holds */
  static #wrappersFor(inner?: SessionGate): Record<GatedMethod, Method> {
    const wrap = (name: GatedMethod): Method =>
      function (this: Gated, ...args) {
        const gate = inner ?? this[GATE]!;
        if (gate.#open) return gate.#originals[name].apply(gate.response, args);
        if (gate.#held !== null) return gate.#held.hold({ name, args });
        return gate.scope.settle() ? gate.#begin({ name, args }) : gate.#hold({ name, args });
      };
    return Object.fromEntries(GATED.map((name) => [name, wrap(name)])) as Record<GatedMethod, Method>;
  }

  /** Sends the call at once: there is no commit to wait for. */
  #begin(call: Call): unknown {
    this.scope.seal();
    this.#open = true;
    try {
      return this.#originals[call.name].apply(this.response, this.#withCookie(call));
    } catch (error) {
      // Node refused the call before sending anything. The answer to the error must pass the gate again.
      if (!this.response.headersSent) {
        this.#open = false;
        this.scope.seal(false);
      }
      throw error;
    }
  }

  #hold(call: Call): unknown {
    const held = new HeldResponse(this.response as NodeResponse, this.#originals);
    const result = held.hold(call);
    this.#held = held;
    this.scope.seal();
    this.scope.instances.track(this.#release(held));
    return result;
  }

  /** Commits, and sends the held calls. If either fails, sends the failure with the cookies of other sessions that were committed. */
  async #release(held: HeldResponse): Promise<void> {
    try {
      await this.scope.commit();
      this.#open = true;
      held.replay((call) => this.#withCookie(call));
      this.#held = null;
    } catch (error) {
      this.#open = false;
      reportFailure(error);
      try {
        held.replaceByFailure(error, this.scope.tellFailure, (headers) =>
          writeSessionHeaders(this.scope, headers),
        );
      } catch {
        this.response.destroy();
      }
    }
  }

  /** Returns the arguments of the first call, with the session's headers added to the given ones or set on the response. */
  #withCookie(call: Call): unknown[] {
    // Other code has called Node's own methods directly.
    if (this.response.headersSent) return call.args;
    const headers = new OutgoingHeaders(this.response, call, this.#originals.writeHead);
    writeSessionHeaders(this.scope, headers);
    return call.name === 'writeHead' ? headers.toArguments() : call.args;
  }
}
