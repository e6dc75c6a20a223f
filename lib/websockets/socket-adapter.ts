import type { IncomingMessage } from 'node:http';
import type { WebSocketAdapter, WsMessageHandler } from '@nestjs/common';
import type { SessionInstances } from '../requests/session-instance';
import { currentScope } from '../requests/session-scope';
import { admitsHandshake } from '../requests/request-origin';
import { OpenSocket } from './open-socket';
import { closeSocket, type SocketClient } from './socket-frames';

type Connect = (client: SocketClient, upgrade: IncomingMessage | undefined, ...rest: unknown[]) => void;

/** The used part of Nest's `WebSocketAdapter`, whose types are loose. */
interface Adapter {
  bindClientDisconnect?(client: SocketClient, callback: (...args: unknown[]) => void): unknown;
  create(port: number, options?: object): unknown;
  bindClientConnect(server: unknown, connect: Connect): unknown;
  bindMessageHandlers(
    client: SocketClient,
    handlers: readonly WsMessageHandler[],
    transform: unknown,
  ): unknown;
}
type Decide = (error: string | null, isAllowed: boolean) => void;
type Verify = (isAllowed: boolean, code?: number, message?: string) => void;

/** The options of socket.io and ws that decide about a handshake. */
interface HandshakeOptions {
  readonly allowRequest?: (request: IncomingMessage, decide: Decide) => void;
  readonly verifyClient?: (info: { readonly req: IncomingMessage }, verify: Verify) => unknown;
}

const attached = new WeakSet<object>();

/**
 * Gives the sockets of an adapter their sessions: checks the origin of each handshake, opens its session, and lets each message have a scope
 * of its own. Works for any adapter whose servers take the options of socket.io or ws.
 */
export function attachSessions(instances: SessionInstances, given: WebSocketAdapter): void {
  if (attached.has(given)) return;
  attached.add(given);
  const adapter = given as unknown as Adapter;
  const sockets = new WeakMap<SocketClient, OpenSocket>();
  const handshakes = new Handshakes(instances);
  const create = adapter.create.bind(adapter);
  const bindClientConnect = adapter.bindClientConnect.bind(adapter);
  const bindClientDisconnect = adapter.bindClientDisconnect?.bind(adapter);
  const bindMessageHandlers = adapter.bindMessageHandlers.bind(adapter);
  adapter.create = (port, options) => create(port, { ...options, ...withOrigin(handshakes, options ?? {}) });
  adapter.bindClientConnect = (server, connect) =>
    bindClientConnect(server, (client, upgrade, ...rest) => {
      const request = client.request ?? upgrade;
      // An adapter of one's own may have dropped the options.
      if (request === undefined || !handshakes.admit(request)) return closeSocket(client, 'ended');
      // Called once for each gateway.
      const socket =
        sockets.get(client) ?? new OpenSocket(instances, client, request, handshakes.arrivalOf(request));
      sockets.set(client, socket);
      socket.connecting(() => connect(client, upgrade, ...rest));
    });
  // The context in which a socket closes may be that of any message.
  if (bindClientDisconnect !== undefined)
    adapter.bindClientDisconnect = (client, callback) =>
      bindClientDisconnect(client, (...args) => currentScope.exit(callback, ...args));
  adapter.bindMessageHandlers = (client, handlers, transform) =>
    bindMessageHandlers(
      client,
      handlers.map((each) => inScope(sockets.get(client), each)),
      transform,
    );
}

function inScope(socket: OpenSocket | undefined, handler: WsMessageHandler): WsMessageHandler {
  if (socket === undefined) return handler;
  const callback = handler.callback as (...args: unknown[]) => unknown;
  return {
    ...handler,
    callback: (...args: unknown[]) => socket.message(() => callback(...args)) as Promise<never>,
  };
}

/** The requests that open connections. A client of socket.io may join a namespace long after the one of its connection. */
class Handshakes {
  readonly #arrivals = new WeakMap<IncomingMessage, number | undefined>();

  constructor(private readonly instances: SessionInstances) {}

  /**
   * Notes when a request came, at its first call. Browsers let every page open a socket to every site, with that site's cookies: returns whether
   * the origin is one that each instance trusts.
   */
  admit(request: IncomingMessage): boolean {
    const { instances } = this;
    if (!this.#arrivals.has(request)) this.#arrivals.set(request, instances.clock?.());
    return instances.names.every((name) => admitsHandshake(request.headers, instances.get(name)));
  }

  /** By the clock of the application. */
  arrivalOf(request: IncomingMessage): number | undefined {
    return this.#arrivals.get(request);
  }
}

function withOrigin(
  handshakes: Handshakes,
  { allowRequest, verifyClient }: HandshakeOptions,
): HandshakeOptions {
  return {
    allowRequest: (request, decide) => {
      if (!handshakes.admit(request)) decide('The handshake comes from a page of another origin', false);
      else if (allowRequest === undefined) decide(null, true);
      else allowRequest(request, decide);
    },
    // ws tells by the number of parameters whether the function calls back.
    verifyClient: (info, verify) => {
      if (!handshakes.admit(info.req)) verify(false, 403, 'Forbidden');
      else if (verifyClient === undefined) verify(true);
      else if (verifyClient.length === 2) verifyClient(info, verify);
      else verify(verifyClient(info, verify) === true);
    },
  };
}
