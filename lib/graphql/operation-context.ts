import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { upgradeOf, type Upgrade } from './upgrades';

/** What Apollo and Mercurius have in the context of an operation. */
export interface OperationContext extends GraphqlWsConnection {
  /** The HTTP request of Node or Fastify. Over a socket: that of graphql-ws, or the request which opened the socket. */
  readonly req?: PlatformRequest & GraphqlWsConnection;
  /** Mercurius, over HTTP. */
  readonly reply?: { readonly request?: PlatformRequest };
  /** Mercurius, over a socket: the request which opened it. */
  readonly request?: PlatformRequest;
  /** Mercurius, over a socket: what the client sent first. */
  readonly _connectionInit?: unknown;
  /** Mercurius: Fastify's instance, with the plugin of its sockets. */
  readonly app?: { readonly websocketServer?: { readonly clients: Iterable<WsClient> } };
}

interface PlatformRequest {
  readonly raw?: PlatformRequest;
  readonly headers?: IncomingHttpHeaders;
}

/** What graphql-ws knows of a connection. It is the same object for all operations. */
interface GraphqlWsConnection {
  readonly extra?: { readonly request?: object; readonly socket?: WsClient };
  readonly connectionParams?: unknown;
}

/** A client of ws. */
export interface WsClient {
  close(code: number, reason: string): void;
  readonly _socket?: Socket;
}

/** What resolvers get of the execution of an operation. Each event of a subscription is an execution of its own. */
export interface ExecutionInfo {
  readonly variableValues?: object;
  readonly operation?: { readonly operation: string };
  readonly path?: FieldPath;
}

/** Where a field is in the answer. */
interface FieldPath {
  /** The same object for all fields of the parent. `undefined` for a field at the root. */
  readonly prev?: FieldPath | undefined;
}

/** The socket over which an operation came. */
export interface OperationConnection {
  readonly upgrade: Upgrade;
  /** What the client sent when it was open. */
  readonly params: unknown;
  /** Returns `undefined` when it is unknown. */
  client(): WsClient | undefined;
}

/** Returns `undefined` for an operation that came in an HTTP request. */
export function connectionOf(context: OperationContext): OperationConnection | undefined {
  const { req, request, app, _connectionInit, extra = req?.extra } = context;
  const upgrade = upgradeOf(extra?.request) ?? upgradeOf(req) ?? upgradeOf(request);
  if (upgrade === undefined) return undefined;
  const { socket } = upgrade.request;
  return {
    upgrade,
    params: context.connectionParams ?? req?.connectionParams ?? _connectionInit,
    client: () => extra?.socket ?? clientOf(app?.websocketServer?.clients ?? [], socket),
  };
}

/** Returns the HTTP request in which an operation came; `undefined` when it is not sure to be that. */
export function requestIn({ req, reply }: OperationContext): PlatformRequest | undefined {
  if (!req) return undefined;
  const { raw = req, headers = raw.headers } = req;
  // It opened a socket, or pretends to, and was answered long ago.
  if (headers?.upgrade?.toLowerCase() === 'websocket') return undefined;
  // A context that is not made by a function has the first request of all for ever.
  const { request = req } = reply ?? {};
  return (request.raw ?? request) === raw ? req : undefined;
}

/** Whether the client asks for something, and does not only get an event to which it subscribed. */
export function isAsked({ operation, path }: ExecutionInfo): boolean {
  return operation?.operation !== 'subscription' || path?.prev === undefined;
}

/** Returns an object that the fields of an execution have in common, and no other execution has; `undefined` when it is unknown. */
export function executionOf({ operation, path, variableValues }: ExecutionInfo): object | undefined {
  if (operation?.operation !== 'subscription') return variableValues;
  // From version 17 of graphql on, all events of a subscription have the same variables. They have one field at the root.
  let root = path;
  while (root?.prev !== undefined) root = root.prev;
  return root;
}

function clientOf(clients: Iterable<WsClient>, socket: Socket): WsClient | undefined {
  for (const client of clients) if (client._socket === socket) return client;
  return undefined;
}
