import type { ServerResponse } from 'node:http';
import { Stream } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { RequestSessions } from './request-sessions';

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
  // Filters give a status and wait for nothing; the status of what a handler returned is set by now. A stream that fails
  // before Nest listens to it may end the process.
  adapter.reply = (response: AnyResponse, body: unknown, status?: number) =>
    status === undefined && !isStream(body)
      ? committed(response, () => reply(response, body))
      : reply(response, body, status);
  adapter.render = (response: AnyResponse, view: string, options: unknown) =>
    committed(response, () => render(response, view, options));
}

/** At once, unless the store has to be asked first. */
function committed({ raw, req }: AnyResponse, send: () => unknown): unknown {
  const sessions = RequestSessions.find(raw?.req ?? req);
  return sessions?.settle() === false ? new CommittedReply(sessions, send) : send();
}

/** An answer that waits for a commit. Whoever waits for it hears of a failure; where nobody does, the gate tries again, and answers for it. */
class CommittedReply implements PromiseLike<unknown> {
  readonly #done: Promise<unknown>;
  #isAwaited = false;

  constructor(sessions: RequestSessions, send: () => unknown) {
    this.#done = sessions.commit().then(send, (error: unknown) => {
      if (this.#isAwaited) throw error;
      sessions.retry();
      return send();
    });
    this.#done.catch((error: unknown) => {
      if (!this.#isAwaited) sessions.reportFailure(error);
    });
  }

  /** A promise could not tell whether anybody waits for it. */
  then<A = unknown, B = never>(
    fulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#isAwaited = true;
    return this.#done.then(fulfilled, rejected);
  }
}

function isStream(body: unknown): boolean {
  return body instanceof StreamableFile || body instanceof Stream;
}
