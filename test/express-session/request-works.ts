import { Controller, Param, Post, Req, type Type } from '@nestjs/common';
import type { Answer, Visitor } from '../support/visitor';

/** A session as middleware sees it, of this library or of express-session. */
export interface AnySession {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the test stores
  [key: string]: any;
  readonly id: string;
  readonly cookie: { maxAge: number | null; expires: Date | null; originalMaxAge: number | null };
  save(done: (error?: Error) => void): unknown;
  regenerate(done: (error?: Error) => void): unknown;
  destroy(done: (error?: Error) => void): unknown;
  reload(done: (error?: Error) => void): unknown;
  touch(): unknown;
  resetMaxAge(): unknown;
}

export interface AnyRequest {
  session: AnySession;
  readonly sessionID: string;
}

/** What a request does. */
export type Work = (request: AnyRequest) => unknown;

/** Calls a method with a callback, and waits for that. */
export function called(
  session: AnySession,
  method: 'save' | 'regenerate' | 'destroy' | 'reload',
): Promise<void> {
  return new Promise((resolve, reject) => {
    session[method]((error?: Error) => (error ? reject(error) : resolve()));
  });
}

/** A controller that does what a test tells it, with the request. */
export function requestWorks(): {
  readonly controller: Type;
  /** One request in which this is done. It answers `{ result }`. */
  run(who: Visitor, work: Work): Promise<Answer>;
  /** The same, for what it returns. */
  ask(who: Visitor, work: Work): Promise<unknown>;
} {
  const works = new Map<string, Work>();

  @Controller('works')
  class WorksController {
    @Post(':number')
    async run(@Req() request: AnyRequest, @Param('number') number: string): Promise<object> {
      return { result: (await works.get(number)!(request)) ?? null };
    }
  }

  const run = (who: Visitor, work: Work): Promise<Answer> => {
    const number = String(works.size);
    works.set(number, work);
    return who.post(`/works/${number}`);
  };
  const ask = async (who: Visitor, work: Work): Promise<unknown> => {
    const answer = await run(who, work);
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
    return answer.json<{ result: unknown }>().result;
  };
  return { controller: WorksController, run, ask };
}
