import { HttpException, Module, type ArgumentsHost, type WebSocketAdapter } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { SessionInstances } from '../requests/session-instance';
import { contextKinds, currentScope } from '../requests/session-scope';
import { SocketUnit } from '../requests/socket-unit';
import { attachSessions } from './socket-adapter';
import { exceptionOf } from './socket-frames';

/**
 * Sessions in gateways of socket.io and ws. Import it into the root module, beside `SessionModule.forRoot()`; no adapter of your own is needed.
 *
 * A socket has the session of its handshake: by cookie, by a bearer token, or by `auth: { token }` of socket.io. Each message loads it at its
 * first use and commits it before it is answered. What needs a new token is refused: `login`, `elevate`, `renewToken`, and the first write of a
 * visitor. When its login ends, the socket is closed within a second.
 */
@Module({})
export class SessionSocketsModule {
  /** @internal Nest calls it. */
  constructor(config: ApplicationConfig, host: HttpAdapterHost) {
    const instances = SessionInstances.of(host);
    contextKinds.set('ws', { requestOf: requestOfMessage, refusal: exceptionOfRefusal });
    const attach = (adapter: WebSocketAdapter): void => attachSessions(instances, adapter);
    const present = config.getIoAdapter() as WebSocketAdapter | null;
    if (present) attach(present);
    // Called by app.useWebSocketAdapter, and by Nest itself when the first gateway needs an adapter.
    const setIoAdapter = config.setIoAdapter.bind(config);
    config.setIoAdapter = (adapter: WebSocketAdapter) => {
      attach(adapter);
      setIoAdapter(adapter);
    };
  }
}

/** Guards and parameters get different arrays of arguments, so the async context has the scope of a message. It must be one of its client. */
function requestOfMessage(host: ArgumentsHost): object | undefined {
  const unit = currentScope.getStore()?.unit;
  const isOfClient =
    unit instanceof SocketUnit && unit.socket.client === host.switchToWs().getClient<object>();
  return isOfClient ? unit.request : undefined;
}

/** Nest answers an exception of HTTP with "Internal server error". */
function exceptionOfRefusal(refusal: Error): Error {
  return refusal instanceof HttpException ? exceptionOf(refusal) : refusal;
}
