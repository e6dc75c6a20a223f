import { once } from 'node:events';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { App, Platform } from '../support/app';

/** A driver with operations over sockets. */
export interface SocketServer {
  readonly server: string;
  readonly platform: Platform;
  graphql(): DynamicModule;
}

const common = { autoSchemaFile: true, fieldResolverEnhancers: ['guards' as const] };

/** @param options of graphql-ws */
export const apollo = (options: object = {}, more: Partial<ApolloDriverConfig> = {}): DynamicModule =>
  GraphQLModule.forRoot<ApolloDriverConfig>({
    ...common,
    ...more,
    driver: ApolloDriver,
    subscriptions: { 'graphql-ws': options },
  });
export const mercurius = (): DynamicModule =>
  GraphQLModule.forRoot<MercuriusDriverConfig>({
    ...common,
    driver: MercuriusDriver,
    subscription: { fullWsTransport: true },
  });

export const servers: readonly SocketServer[] = [
  { server: 'Apollo', platform: 'express', graphql: apollo },
  { server: 'Apollo', platform: 'fastify', graphql: apollo },
  { server: 'Mercurius', platform: 'fastify', graphql: mercurius },
];

export interface Reply {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

export interface Connecting {
  readonly headers?: Readonly<Record<string, string>>;
  readonly connectionParams?: Record<string, unknown>;
}

/** A client of GraphQL with one socket, which it does not open again. */
export class Subscriber {
  private constructor(
    private readonly client: Client,
    readonly socket: WebSocket,
    /** Resolves with the code and the reason when the socket is closed. */
    readonly closed: Promise<string>,
  ) {}

  static async connect(
    app: App,
    { headers = {}, connectionParams = {} }: Connecting = {},
  ): Promise<Subscriber> {
    class WithHeaders extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { headers });
      }
    }
    const url = `${(await app.getUrl()).replace('http:', 'ws:')}/graphql`;
    const settings = { lazy: false, retryAttempts: 0, onNonLazyError: () => {} };
    const client = createClient({ url, webSocketImpl: WithHeaders, connectionParams, ...settings });
    const socket = await new Promise<WebSocket>((resolve) =>
      client.on('connected', (connected) => resolve(connected as WebSocket)),
    );
    const closed = once(socket, 'close').then(([code, reason]) => `${code as number} ${String(reason)}`);
    return new Subscriber(client, socket, closed);
  }

  /** The results of an operation: all events of a subscription. */
  async *results(query: string): AsyncGenerator<Reply> {
    try {
      yield* this.client.iterate({ query }) as AsyncIterable<Reply>;
    } catch (error) {
      // Mercurius refuses a subscription in this way.
      if (!Array.isArray(error)) throw error;
      yield { errors: error as Reply['errors'] & object };
    }
  }

  /** The first result. */
  async ask(query: string): Promise<Reply> {
    for await (const result of this.results(query)) return result;
    throw new Error('no result');
  }

  async close(): Promise<void> {
    await this.client.dispose();
    this.socket.terminate();
  }
}

/** The code of the only error of a reply. */
export function codeOf({ errors = [] }: Reply): string | undefined {
  expect(errors).toHaveLength(1);
  return errors[0]!.extensions?.code;
}
