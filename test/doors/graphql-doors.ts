import { UseGuards } from '@nestjs/common';
import { Int, Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { AuthGuard, Principal, Session, type LoadedSession, type LoggedInPrincipal } from 'nestjs-tessera';
import { platforms, type App } from '../support/app';
import { Subscriber, apollo, mercurius } from '../graphql/subscriber';
import '../support/session-data';
import type { Action, Caller, Door, Reply } from './door';
import { browserWith } from './http-doors';

@Resolver()
class DoorResolver {
  @Query(() => Int)
  read(@Session('visits') visits = 0): number {
    return visits;
  }

  @Mutation(() => Int)
  write(@Session() session: LoadedSession): number {
    return session.update('visits', (visits = 0) => visits + 1);
  }

  @Mutation(() => String)
  login(@Session() session: LoadedSession): string {
    session.login({ id: 'ada' });
    return 'ada';
  }

  @Mutation(() => String)
  logout(@Session() session: LoadedSession): string {
    session.logout();
    return 'bye';
  }

  @UseGuards(AuthGuard)
  @Query(() => String)
  guarded(@Principal() { id }: LoggedInPrincipal): string {
    return id;
  }
}

/** Over a socket, what is asked is asked by a subscription that ends after one event. */
@Resolver()
class SocketResolver {
  @Subscription(() => Int, { name: 'read' })
  read(@Session('visits') visits = 0): AsyncGenerator<object> {
    return once({ read: visits });
  }

  @UseGuards(AuthGuard)
  @Subscription(() => String, { name: 'guarded' })
  guarded(@Principal() { id }: LoggedInPrincipal): AsyncGenerator<object> {
    return once({ guarded: id });
  }
}

async function* once(event: object): AsyncGenerator<object> {
  yield event;
}

interface GraphQLFailure {
  readonly extensions?: { readonly code?: string; readonly originalError?: { readonly code?: string } };
}

/** On Apollo the code of an exception is in `originalError`. */
function codeOf([failure]: readonly GraphQLFailure[]): string | undefined {
  return failure?.extensions?.originalError?.code ?? failure?.extensions?.code;
}

const KINDS = { read: 'query', write: 'mutation', login: 'mutation', logout: 'mutation', guarded: 'query' };

async function enter(app: App, token: string | null): Promise<Caller> {
  const browser = await browserWith(app, token);
  const ask = async (action: Action): Promise<Reply> => {
    const answer = await browser.post('/graphql', { query: `${KINDS[action]} { ${action} }` });
    const { data, errors } = answer.json<{
      data?: Record<string, unknown>;
      errors?: readonly GraphQLFailure[];
    }>();
    return errors === undefined ? { value: data![action] } : { code: codeOf(errors) };
  };
  return { ask, token: () => browser.token(), close: () => {} };
}

async function enterBySocket(app: App, token: string | null): Promise<Caller> {
  const headers: Record<string, string> = token === null ? {} : { cookie: `__Host-session=${token}` };
  const socket = await Subscriber.connect(app, { headers });
  const ask = async (action: Action): Promise<Reply> => {
    const kind = KINDS[action] === 'query' ? 'subscription' : 'mutation';
    const { data, errors = [] } = await socket.ask(`${kind} { ${action} }`);
    return errors.length === 0 ? { value: data![action] } : { code: codeOf(errors) };
  };
  const { closed } = socket;
  return { ask, token: async () => token ?? undefined, closed, close: () => void socket.close() };
}

const servers = { Apollo: apollo, Mercurius: mercurius };

export const graphqlDoors: readonly Door[] = platforms.flatMap((platform) =>
  (['Apollo', 'Mercurius'] as const).flatMap((server) => {
    const missing =
      server === 'Mercurius' && platform === 'express' ? 'Mercurius runs on Fastify alone' : null;
    const imports = missing === null ? [servers[server]()] : [];
    const common = { platform, missing, setUp: { imports, providers: [DoorResolver, SocketResolver] } };
    const readOnly = 'SESSION_READ_ONLY';
    return [
      { ...common, name: `GraphQL of ${server}`, cannot: {}, ending: null, enter },
      {
        ...common,
        name: `subscriptions of ${server}`,
        cannot: { write: readOnly, login: readOnly, logout: readOnly },
        ending: '4403 SESSION_ENDED',
        enter: enterBySocket,
      },
    ];
  }),
);
