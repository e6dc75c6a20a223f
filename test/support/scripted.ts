import { Controller, Param, Post, type Type } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import type { Answer, Visit, Visitor } from './visitor';

type Work = (session: Session) => unknown;

/** A handler that does what a test tells it, with the session of whoever asks. */
export interface Scripted {
  readonly controller: Type;
  /** One request in which this is done. It answers `{ result }`. */
  run(who: Visitor, work: Work, visit?: Visit): Promise<Answer>;
  /** The same, for what it returns. */
  ask<T>(who: Visitor, work: (session: Session) => T): Promise<Awaited<T>>;
}

export function scripted(name = 'default'): Scripted {
  const works = new Map<string, Work>();

  @Controller(`scripted-${name}`)
  class ScriptedController {
    @Post(':number') async run(
      @Session({ name }) session: Session,
      @Param('number') number: string,
    ): Promise<object> {
      return { result: await works.get(number)!(session) };
    }
  }

  const run: Scripted['run'] = async (who, work, visit) => {
    const number = String(works.size);
    works.set(number, work);
    return who.post(`/scripted-${name}/${number}`, {}, visit);
  };
  return {
    controller: ScriptedController,
    run,
    ask: async (who, work) => {
      const answer = await run(who, work);
      if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
      return answer.json<{ result: never }>().result;
    },
  };
}
