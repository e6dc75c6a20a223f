import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { SessionError } from '../core/session.errors';
import { fileScope, findScope } from '../requests/scope-lookup';
import type { SessionInstances } from '../requests/session-instance';
import { SessionScope } from '../requests/session-scope';
import type { UnitOfWork } from '../requests/session-handle';
import type { Connection } from '../transports/session-transport';
import { SessionGate } from './session-gate';
import { SessionUnavailableException } from './session.exceptions';

/** The request as the framework knows it: behind a proxy it trusts, only the framework can tell what the client did. */
export interface PlatformRequest {
  readonly protocol?: string;
  readonly secure?: boolean;
  /** Express's response, and the application whose routes are looked at. */
  readonly res?: ServerResponse;
  readonly app?: object;
  /** Of Fastify, Node's own request, and the context it is in. */
  readonly raw?: IncomingMessage;
  readonly server?: object;
}

/** An HTTP request as a unit of work. One whose sessions are not touched costs this object and its scope, and nothing else. */
export class HttpRequest implements UnitOfWork {
  readonly scope: SessionScope;
  /** Fastify's request; Express's is Node's own. */
  platformRequest: PlatformRequest | undefined;

  private constructor(
    instances: SessionInstances,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    this.scope = new SessionScope(instances, this);
  }

  /** Gives a request that has just come in its scope. Returns the one it has when it comes in once more. */
  static file(
    instances: SessionInstances,
    request: IncomingMessage,
    response: ServerResponse,
    platformRequest?: PlatformRequest,
  ): SessionScope {
    let scope = findScope(request);
    if (scope?.instances !== instances) {
      scope = new HttpRequest(instances, request, response).scope;
      fileScope(request, scope);
    }
    if (platformRequest !== undefined && scope.unit instanceof HttpRequest)
      scope.unit.platformRequest = platformRequest;
    return scope;
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  get connection(): Connection {
    const { protocol, secure = protocol === 'https' } =
      this.platformRequest ?? (this.request as PlatformRequest);
    const encrypted = (this.request.socket as TLSSocket).encrypted === true;
    return {
      secure: secure || encrypted,
      host: this.headers.host ?? (this.headers[':authority'] as string | undefined),
    };
  }

  get hasBegun(): boolean {
    return this.response.headersSent;
  }

  get isOver(): boolean {
    return this.response.closed;
  }

  begin(): void {
    SessionGate.mount(this.response, this.scope);
  }

  translate(failure: SessionError): Error {
    return new SessionUnavailableException(failure);
  }
}
