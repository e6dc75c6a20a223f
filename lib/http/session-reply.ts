import type { ServerResponse } from 'node:http';
import { StreamableFile } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { failureOf } from './session.exceptions';
import { findScope } from '../requests/session-scope';
import { reportFailure } from '../requests/session-instance';

type Adapter = HttpAdapterHost['httpAdapter'];
type AnyResponse = ServerResponse & { readonly raw?: ServerResponse };
type Send = (response: AnyResponse, ...rest: unknown[]) => unknown;

/**
 * Step 2 of 3 on a request's path: the handler is done, and Nest is about to send what it returned, so its session is committed
 * now. That makes a failing store an ordinary exception that filters see. Whatever never comes by here, the gate commits.
 *
 * An interceptor would do the same, but Nest takes a longer way through every route of an application that has one.
 */
export function commitBeforeReply(adapter: Adapter): void {
  const reply = adapter.reply.bind(adapter) as Send;
  const render = adapter.render.bind(adapter) as Send;
  const redirect = adapter.redirect.bind(adapter) as Send;

  const committed = (send: Send, response: AnyResponse, ...rest: unknown[]): unknown => {
    const scope = findScope(response.raw?.req ?? response.req);
    if (scope?.settle() !== false) return send(response, ...rest); // without asking the store
    const fail = (error: unknown): never => {
      // What the handler said about caching was said about its own answer.
      if (!(response.raw ?? response).headersSent) adapter.setHeader(response, 'Cache-Control', 'no-store');
      throw error;
    };
    return new Reply(
      scope.commit().then(() => send(response, ...rest), fail),
      response,
      reply,
    );
  };
  adapter.reply = (response: AnyResponse, body: unknown, ...status: unknown[]) => {
    // A handler returned it: Nest has set its status before, hands over none in its place, and waits. Filters and others give one or leave
    // it out, and wait for nothing.
    const isReturned = status.length === 1 && status[0] === undefined;
    return isReturned && !isStream(body)
      ? committed(reply, response, body)
      : reply(response, body, ...status);
  };
  adapter.render = committed.bind(null, render);
  adapter.redirect = committed.bind(null, redirect);
}

/** A stream that fails before Nest listens to it may end the process. */
function isStream(body: unknown): boolean {
  return body instanceof StreamableFile || typeof (Object(body) as { pipe?: unknown }).pipe === 'function';
}

/** An answer under way. Whoever waits for it hears of a failure; where nobody does, it is answered for. */
class Reply implements PromiseLike<unknown> {
  #isAwaited = false;

  constructor(
    private readonly done: Promise<unknown>,
    private readonly response: AnyResponse,
    private readonly reply: Send,
  ) {
    // Who waits for it says so some promises later.
    done.catch((error: unknown) => setImmediate(() => this.#isAwaited || this.#fail(error)));
  }

  /** A promise could not tell whether anybody waits for it. */
  then<A = unknown, B = never>(
    fulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#isAwaited = true;
    return this.done.then(fulfilled, rejected);
  }

  #fail(error: unknown): void {
    reportFailure(error);
    const failure = failureOf(error);
    const raw = this.response.raw ?? this.response;
    try {
      if (!raw.headersSent) this.reply(this.response, failure, failure.statusCode);
    } catch {
      raw.destroy();
    }
  }
}
