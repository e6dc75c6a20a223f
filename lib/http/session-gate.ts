import type { ServerResponse } from 'node:http';
import { HeldResponse } from './held-response';
import { givenHeaders, OutgoingHeaders, withHeaders } from './response-headers';
import type { RequestSessions } from './request-sessions';

/** What starts a response, or goes on with it. */
export const GATED = ['writeHead', 'write', 'end', 'flushHeaders'] as const;
export type GatedMethod = (typeof GATED)[number];
export type Method = (...args: unknown[]) => unknown;
export type Originals = Readonly<Record<GatedMethod, Method>>;

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

  private constructor(
    private readonly response: ServerResponse,
    private readonly sessions: RequestSessions,
  ) {
    const { writeHead, write, end, flushHeaders } = response;
    this.#originals = { writeHead, write, end, flushHeaders } as Originals;
  }

  /**
   * What the wrapped methods are, one set for all responses: a function made for each response is kept by V8, and the request
   * with it, until the next major collection.
   */
  static readonly #wrapped: Record<GatedMethod, Method> = {
    writeHead(this: Gated, ...args) {
      return this[GATE].#pass('writeHead', args);
    },
    write(this: Gated, ...args) {
      return this[GATE].#pass('write', args);
    },
    end(this: Gated, ...args) {
      return this[GATE].#pass('end', args);
    },
    flushHeaders(this: Gated, ...args) {
      return this[GATE].#pass('flushHeaders', args);
    },
  };

  static mount(response: ServerResponse, sessions: RequestSessions): void {
    if (response.headersSent) sessions.seal();
    else new SessionGate(response, sessions).#wrap();
    response.once('close', () => sessions.finish());
  }

  #wrap(): void {
    const { writeHead, write, end, flushHeaders } = SessionGate.#wrapped;
    Object.assign(this.response, { [GATE]: this, writeHead, write, end, flushHeaders });
  }

  #pass(name: GatedMethod, args: unknown[]): unknown {
    if (this.#open) return this.#originals[name].apply(this.response, args);
    if (this.#held !== null) return this.#held.take(name, args);
    this.sessions.seal();
    if (this.sessions.settle()) {
      this.#open = true;
      return this.#originals[name].apply(this.response, this.#withCookie(name, args));
    }
    this.#held = new HeldResponse(this.response, this.#originals);
    const result = this.#held.take(name, args);
    void this.#commit(this.#held);
    return result;
  }

  async #commit(held: HeldResponse): Promise<void> {
    try {
      await this.sessions.commit();
    } catch (error) {
      this.sessions.reportFailure(error);
      held.replaceByFailure(error);
      return;
    }
    this.#open = true;
    this.#held = null;
    held.replay((name, args) => this.#withCookie(name, args));
  }

  /** The headers of the first call; a call without headers of its own sends those set on the response. */
  #withCookie(name: GatedMethod, args: unknown[]): unknown[] {
    const given = name === 'writeHead' ? givenHeaders(args) : undefined;
    const headers = new OutgoingHeaders(this.response, given);
    this.sessions.writeHeaders(headers);
    const changed = headers.toGiven();
    return changed === given ? args : withHeaders(args, changed);
  }
}
