import type { IncomingMessage } from 'node:http';
import type { WebSocketAdapter, WsMessageHandler } from '@nestjs/common';
import type { SessionInstances } from '../requests/session-instance';
import { currentScope } from '../requests/session-scope';
import { isTrustedOrigin } from '../requests/request-origin';
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
  const create = adapter.create.bind(adapter);
  const bindClientConnect = adapter.bindClientConnect.bind(adapter);
  const bindClientDisconnect = adapter.bindClientDisconnect?.bind(adapter);
  const bindMessageHandlers = adapter.bindMessageHandlers.bind(adapter);
  adapter.create = (port, options) => create(port, { ...options, ...withOrigin(instances, options ?? {}) });
  adapter.bindClientConnect = (server, connect) =>
    bindClientConnect(server, (client, upgrade, ...rest) => {
      const request = client.request ?? upgrade;
      // An adapter of one's own may have dropped the options.
      if (request === undefined || !isTrusted(instances, request)) return closeSocket(client, 'ended');
      // Called once for each gateway.
      const socket = sockets.get(client) ?? new OpenSocket(instances, client, request);
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

/** Browsers let every page open a socket to every site, with that site's cookies: the origin must be one that each instance trusts. */
function isTrusted(instances: SessionInstances, { headers }: IncomingMessage): boolean {
  return instances.names.every((name) => {
    const instance = instances.get(name);
    const trusted = isTrustedOrigin(headers, instance);
    if (!trusted) instance.emit({ type: 'rejected', reason: 'csrf' });
    return trusted;
  });
}

function withOrigin(
  instances: SessionInstances,
  { allowRequest, verifyClient }: HandshakeOptions,
): HandshakeOptions {
  return {
    allowRequest: (request, decide) => {
      if (!isTrusted(instances, request)) decide('The handshake comes from another site', false);
      else if (allowRequest === undefined) decide(null, true);
      else allowRequest(request, decide);
    },
    // ws tells by the number of parameters whether the function calls back.
    verifyClient: (info, verify) => {
      if (!isTrusted(instances, info.req)) verify(false, 403, 'Forbidden');
      else if (verifyClient === undefined) verify(true);
      else if (verifyClient.length === 2) verifyClient(info, verify);
      else verify(verifyClient(info, verify) === true);
    },
  };
}
