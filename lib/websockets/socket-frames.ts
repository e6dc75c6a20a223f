import type { IncomingMessage } from 'node:http';
import { HttpException, Logger } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { SessionError } from '../core/session.errors';
import type { Closing } from '../requests/bound-socket';

/** What socket.io and ws have in common, and what tells them apart. */
export interface SocketClient {
  /** socket.io: the request of the handshake. */
  readonly request?: IncomingMessage;
  /** socket.io: what the client sent with it. */
  readonly handshake?: { readonly auth?: Readonly<Record<string, unknown>> };
  /** socket.io. */
  readonly connected?: boolean;
  /** socket.io. */
  disconnect?(close: boolean): unknown;
  /** ws. */
  close?(code: number, reason: string): unknown;
  /** ws. */
  terminate?(): unknown;
  /** socket.io: the connection below, which namespaces share. */
  readonly conn?: { close(): unknown };
  /** ws. */
  send?(data: string): unknown;
  emit(event: string, ...data: unknown[]): unknown;
  on(event: string, listener: (...data: unknown[]) => void): unknown;
  once(event: string, listener: (...data: unknown[]) => void): unknown;
}

/** What a client of ws is told (RFC 6455 section 7.4). After 4401 it need not try again with the same token, after 1013 it may. */
const CLOSINGS = {
  ended: [4401, 'SESSION_ENDED'],
  unavailable: [1013, 'SESSION_STORE_UNAVAILABLE'],
  outdated: [1013, 'SESSION_TOKEN_OUTDATED'],
} as const;

/** How long a client of ws may take to close, in milliseconds. */
const CLOSE_TIMEOUT = 1000;

const logger = new Logger('SessionModule');

export function isSocketIo(client: SocketClient): boolean {
  return typeof client.disconnect === 'function';
}

/** Calls `then` once, when the client has gone: at once if another listener of the connection has refused it. */
export function onceGone(client: SocketClient, then: () => void): void {
  if (client.connected === false) then();
  else client.once(isSocketIo(client) ? 'disconnect' : 'close', then);
}

/** Ends the connection. A client of socket.io does not connect again by itself when its login has ended. */
export function closeSocket(client: SocketClient, closing: Closing): void {
  if (!isSocketIo(client)) {
    const [code, reason] = CLOSINGS[closing];
    client.close!(code, reason);
    setTimeout(() => client.terminate?.(), CLOSE_TIMEOUT).unref();
  } else if (closing === 'ended' || client.conn === undefined) client.disconnect!(true);
  else client.conn.close();
}

/** Nest 11 emits an exception on a client of ws itself, where no network is. Nest 12 sends it. */
export function sendExceptions(client: SocketClient): void {
  if (!isSocketIo(client)) client.on('exception', (body) => sendException(client, body));
}

/** Tells a client that its message failed, as Nest does. For what fails after Nest's own filters. */
export function tellFailure(client: SocketClient, error: unknown): void {
  const body = exceptionOf(error).getError();
  sendException(client, typeof body === 'string' ? { status: 'error', message: body } : body);
}

/** Returns what a gateway throws in the place of an error: a `WsException` with its code and message. */
export function exceptionOf(error: unknown): WsException {
  if (error instanceof WsException) return error;
  if (error instanceof HttpException) return bodyOf(error, error.getResponse());
  if (error instanceof SessionError) return bodyOf(error, error);
  logger.error('A message could not be answered', error);
  return new WsException('Internal server error');
}

/** @param body with a `code` and a `message` */
export function bodyOf(cause: Error, body: string | object): WsException {
  const { code, message } = body as { readonly code?: string; readonly message?: string };
  const exception = new WsException({
    status: 'error',
    ...(code && { code }),
    message: message ?? cause.message,
  });
  return Object.assign(exception, { cause });
}

function sendException(client: SocketClient, data: unknown): void {
  if (isSocketIo(client)) client.emit('exception', data);
  else client.send!(JSON.stringify({ event: 'exception', data }));
}
