import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import {
  Args,
  Context,
  Field,
  Int,
  Mutation,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { PubSub } from 'graphql-subscriptions';
import {
  Actor,
  AuthGuard,
  CsrfGuard,
  Principal,
  RequireRoles,
  Session,
  SessionService,
  type LoadedSession,
  type LoggedInPrincipal,
} from 'nestjs-tessera';
import { until } from '../../lib/testing/store-suite/deadline-client';
import '../support/session-data';

const emitter = new EventEmitter();
const pubSub = new PubSub({ eventEmitter: emitter });

const LAST = 'the end';

/** Number of subscriptions that wait for events. */
export const waiting = (): number => emitter.listenerCount('news');

/** Sends an event to those who wait for it, when there are as many. */
export async function publish(text: string, readers = 1): Promise<void> {
  await until(() => waiting() === readers, 'the subscriptions are there');
  await send(text);
}

/** Resolves when no subscription is left. Mercurius ends one with a filter at the next event that passes. */
export async function allEnded(): Promise<void> {
  await until(async () => send(LAST).then(() => waiting() === 0), 'no subscription is left');
}

const send = (text: string): Promise<void> =>
  pubSub.publish('news', { news: { text }, filtered: { text }, plain: { text } });

/** What both drivers have in a context over a socket. */
interface SocketContext {
  readonly req?: { readonly extra: { readonly request: IncomingMessage } };
  readonly request?: { readonly raw: IncomingMessage };
}

/** How often the query `late` was called, and whose session it found. */
export const late = { calls: 0, readers: [] as (string | undefined)[] };

export type Work = (session: LoadedSession, sessions: SessionService, context: object) => unknown;
const works: Work[] = [];

/** The field in which this is done with the session. */
export const field = (work: Work): string => `work(number: ${works.push(work) - 1})`;

/** The operation with that field. */
export const working = (work: Work, kind = 'subscription'): string => `${kind} { ${field(work)} }`;

/** A guard of an application's own. */
class NamedGuard implements CanActivate {
  static sessions: SessionService;

  async canActivate(context: ExecutionContext): Promise<boolean> {
    return (await NamedGuard.sessions.of(context)).principal !== null;
  }
}

@ObjectType()
export class News {
  @Field() text!: string;
}

@Resolver(() => News)
export class NewsResolver {
  constructor(private readonly sessions: SessionService) {
    NamedGuard.sessions = sessions;
  }

  @UseGuards(AuthGuard, NamedGuard)
  @Subscription(() => News)
  news(): AsyncIterator<unknown> {
    return pubSub.asyncIterableIterator('news');
  }

  /** Without use of a session. */
  @Subscription(() => News)
  plain(): AsyncIterator<unknown> {
    return pubSub.asyncIterableIterator('news');
  }

  @Subscription(() => News, {
    async filter(this: NewsResolver, payload: { filtered: News }, _variables: unknown, context: object) {
      const isDark = (await this.sessions.of(context)).get('theme') === 'dark';
      return isDark || payload.filtered.text === LAST;
    },
    async resolve(this: NewsResolver, { filtered }: { filtered: News }, _args: unknown, context: object) {
      const { principal } = await this.sessions.of(context);
      return { text: `${filtered.text} for ${principal?.id}` };
    },
  })
  filtered(): AsyncIterator<unknown> {
    return pubSub.asyncIterableIterator('news');
  }

  @UseGuards(AuthGuard)
  @RequireRoles('admin')
  @Subscription(() => News)
  secret(): AsyncIterator<unknown> {
    return pubSub.asyncIterableIterator('news');
  }

  @Subscription(() => String)
  async *who(
    @Principal() principal: LoggedInPrincipal | null,
    @Actor() actor: LoggedInPrincipal | null,
  ): AsyncGenerator<object> {
    yield { who: `${actor?.id} as ${principal?.id}` };
  }

  @Subscription(() => String, { name: 'work' })
  async *subscribed(
    @Session() session: LoadedSession,
    @Args('number', { type: () => Int }) number: number,
    @Context() context: object,
  ): AsyncGenerator<object> {
    yield { work: await this.#work(session, number, context) };
  }

  /** Uses its session when its socket is closed. */
  @Query(() => String)
  async late(@Context() context: SocketContext): Promise<string> {
    late.calls++;
    const { socket } = context.req?.extra.request ?? context.request!.raw;
    await until(() => socket.destroyed, 'the socket is closed');
    late.readers.push((await this.sessions.of(context)).principal?.id);
    return 'too late';
  }

  @Query(() => String, { name: 'work' })
  asked(
    @Session() session: LoadedSession,
    @Args('number', { type: () => Int }) number: number,
    @Context() context: object,
  ): Promise<string> {
    return this.#work(session, number, context);
  }

  @UseGuards(CsrfGuard)
  @Mutation(() => String, { name: 'work' })
  changed(
    @Session() session: LoadedSession,
    @Args('number', { type: () => Int }) number: number,
    @Context() context: object,
  ): Promise<string> {
    return this.#work(session, number, context);
  }

  @ResolveField(() => String)
  reader(@Principal() principal: LoggedInPrincipal | null): string {
    return principal?.id ?? 'nobody';
  }

  @ResolveField(() => Int)
  visits(@Session('visits') visits = 0): number {
    return visits;
  }

  async #work(session: LoadedSession, number: number, context: object): Promise<string> {
    return JSON.stringify((await works[number]!(session, this.sessions, context)) ?? null);
  }
}
