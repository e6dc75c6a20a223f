import type { ServerResponse } from 'node:http';
import { StreamableFile } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { failureOf } from './session.exceptions';
import { findScope } from '../requests/session-scope';
import { reportFailure } from '../requests/session-instance';

export type Adapter = HttpAdapterHost['httpAdapter'];
type AnyResponse = ServerResponse & { readonly raw?: ServerResponse };
type Send = (response: AnyResponse, ...rest: unknown[]) => unknown;

/**
 * Step 2 of 3 on a request's path: commits the session after the handler and before Nest sends its result. A failing store so becomes an
 * exception that filters can handle. Responses sent in any other way are committed by the gate.
 *
 * An interceptor would do the same, but a global interceptor makes Nest slower on every route.
 */
export function commitBeforeReply(adapter: Adapter): void {
  const reply = adapter.reply.bind(adapter) as Send;
  const render = adapter.render.bind(adapter) as Send;
  const redirect = adapter.redirect.bind(adapter) as Send;

  const committed = (send: Send, response: AnyResponse, ...rest: unknown[]): unknown => {
    const scope = findScope(response.raw?.req ?? response.req);
    if (scope === undefined || scope.settle()) return send(response, ...rest); // without asking the store
    const raw = response.raw ?? response;
    const commitAndSend = async (): Promise<unknown> => {
      await scope.commit().catch((error: unknown) => {
        // A Cache-Control set by the handler was meant for its own result.
        if (!raw.headersSent) adapter.setHeader(response, 'Cache-Control', 'no-store');
        throw error;
      });
      return send(response, ...rest);
    };
    // Nest 10 and 11 do not await a redirect, and Fastify answers 200 when a handler's promise is resolved before the response is sent.
    // There the redirect is sent now, and the gate commits.
    const redirectOrCommit = async (isAwaited: () => boolean): Promise<unknown> => {
      // Where Nest awaits, it calls `then` one microtask after it was given this promise.
      await Promise.resolve();
      await Promise.resolve();
      return isAwaited() ? commitAndSend() : send(response, ...rest);
    };
    return reportingTo(send === redirect ? redirectOrCommit : commitAndSend, (error) => {
      reportFailure(error);
      const failure = failureOf(error);
      try {
        if (!raw.headersSent) reply(response, failure, failure.statusCode);
      } catch {
        raw.destroy();
      }
    });
  };
  adapter.reply = (response: AnyResponse, body: unknown, ...status: unknown[]) => {
    // For the result of a handler Nest passes undefined as the status, which it has set before, and awaits the reply. Filters and other
    // callers pass a status or leave the argument out, and do not await.
    const isReturned = status.length === 1 && status[0] === undefined;
    // Streams are not delayed: one that fails before Nest listens to it may end the process.
    const isStream =
      body instanceof StreamableFile || typeof (Object(body) as { pipe?: unknown }).pipe === 'function';
    return isReturned && !isStream ? committed(reply, response, body) : reply(response, body, ...status);
  };
  adapter.render = committed.bind(null, render);
  adapter.redirect = committed.bind(null, redirect);
}

/**
 * Runs `work` and returns its promise in a form that calls `fail` with its error if no caller awaits it, which a promise does not
 * reveal.
 */
function reportingTo(
  work: (isAwaited: () => boolean) => Promise<unknown>,
  fail: (error: unknown) => void,
): PromiseLike<unknown> {
  let isAwaited = false;
  const promise = work(() => isAwaited);
  // Nest calls `then` a few microtasks later.
  promise.catch((error: unknown) => setImmediate(() => isAwaited || fail(error)));
  const then: typeof promise.then = (fulfilled, rejected) => {
    isAwaited = true;
    return promise.then(fulfilled, rejected);
  };
  return { then };
}
