import { Body, Controller, Post, Req } from '@nestjs/common';
import { SessionService, type Session } from 'nestjs-tessera';
import { door } from '../support/watched-store';
import type { Answer, Visitor } from '../support/visitor';
import '../support/session-data';

/** Doors by name, each with a bell: a test learns that somebody waits, and lets him through when it likes. */
export class Doors {
  readonly #doors = new Map<string, { bell: ReturnType<typeof door>; way: ReturnType<typeof door> }>();

  async pass(name: string): Promise<void> {
    const { bell, way } = this.#of(name);
    bell.open();
    await way.opened;
  }

  reached(name: string): Promise<void> {
    return this.#of(name).bell.opened;
  }

  open(name: string): void {
    this.#of(name).way.open();
  }

  #of(name: string): { bell: ReturnType<typeof door>; way: ReturnType<typeof door> } {
    const known = this.#doors.get(name) ?? { bell: door(), way: door() };
    this.#doors.set(name, known);
    return known;
  }
}

/** What a session holds once a request's steps are done. */
export interface Found {
  readonly id: string;
  readonly principal: string | null;
  readonly data: Record<string, unknown>;
  readonly messages: string[];
  readonly runs: number;
}

/** One route that does what it is told, step by step, so that a test reads as the story of a race. */
@Controller()
export class RaceController {
  constructor(
    private readonly sessions: SessionService,
    private readonly doors: Doors,
  ) {}

  @Post('do')
  async do(@Req() request: object, @Body() { steps }: { steps: string[] }): Promise<Found> {
    const found = { messages: [] as string[], runs: 0 };
    for (const step of steps) {
      const [verb = '', argument = ''] = step.split(' ');
      // The session is opened when the first step wants it, not before.
      if (verb === 'wait') await this.doors.pass(argument);
      else await this.#step(await this.sessions.of(request), verb, argument, found);
    }
    const session = await this.sessions.of(request);
    const data = Object.fromEntries(session.entries() as [string, unknown][]);
    return { id: session.id, principal: session.principal?.id ?? null, data, ...found };
  }

  async #step(
    session: Session,
    verb: string,
    argument: string,
    found: { messages: string[]; runs: number },
  ): Promise<void> {
    switch (verb) {
      case 'open':
        return;
      case 'visit':
        return void session.update('visits', (n = 0) => (found.runs++, n + 1));
      case 'add':
        return void session.update('cart', (cart = []) => [...cart, argument]);
      case 'theme':
        return void session.set('theme', argument as 'dark');
      case 'login':
        return session.login({ id: argument });
      case 'logout':
        return session.logout({ keepData: argument === 'keep' });
      case 'elevate':
        return session.elevate({ roles: [argument] });
      case 'renew':
        return session.renewToken();
      case 'rotate':
        return session.rotateToken();
      case 'destroy':
        return session.destroy();
      case 'merge':
        return session.merge(argument);
      case 'idle':
        return void (session.idleTimeout = Number(argument));
      case 'flash':
        return session.flash('notice', argument);
      case 'messages':
        return void found.messages.push(...session.messages('notice'));
      case 'commit':
        return this.sessions.commit();
      case 'commit-unawaited':
        return void this.sessions.commit();
      default:
        throw new Error(`there is no step ${verb}`);
    }
  }
}

/** `await does(ada, 'login ada', 'wait door', 'visit')` */
export function does(visitor: Visitor, ...steps: string[]): Promise<Answer> {
  return visitor.post('/do', { steps });
}

/** What the visitor's session holds. */
export async function looks(visitor: Visitor): Promise<Found> {
  return (await does(visitor, 'open')).json<Found>();
}
