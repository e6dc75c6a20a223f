import type { IncomingHttpHeaders } from 'node:http';
import type { ArgumentsHost } from '@nestjs/common';
import { contextKinds, type Failure } from '../requests/session-scope';

/** What Apollo and Mercurius have in the context of an operation. */
interface OperationContext {
  /** The HTTP request of Node or Fastify. For an operation of graphql-ws an object that has the upgrade request in `extra`. */
  readonly req?: HttpRequest & { readonly extra?: { readonly request?: object } };
}

interface HttpRequest {
  readonly raw?: HttpRequest;
  readonly headers?: IncomingHttpHeaders;
}

/** GraphQL over HTTP: an answer of this type tells by its status that there is no data. Others are 200 whatever went wrong. */
const GRAPHQL_RESPONSE = 'application/graphql-response+json';

/** Lets resolvers, and guards on them, find the session of the HTTP request that their operation came in. Needs no package of GraphQL. */
export function findOperations(): void {
  contextKinds.set('graphql', { requestOf: requestOfOperation, tellFailure });
}

/** Returns `undefined` for an operation that came over a socket: the request which opened that was answered long ago. */
function requestOfOperation(host: ArgumentsHost): object | undefined {
  const args = host.getArgs<unknown[]>();
  // A resolver of references has no arguments: (reference, context, info).
  const context = args[args.length === 3 ? 1 : 2] as OperationContext | undefined;
  const request = context?.req;
  const upgrade = (request?.raw ?? request)?.headers?.upgrade;
  const isSocket = request?.extra?.request !== undefined || upgrade?.toLowerCase() === 'websocket';
  return isSocket ? undefined : request;
}

function tellFailure(
  { statusCode, code = 'INTERNAL_SERVER_ERROR', message }: Failure,
  contentType: string,
): { statusCode: number; body: object } {
  const errors = [{ message, extensions: { code } }];
  return contentType.startsWith(GRAPHQL_RESPONSE)
    ? { statusCode, body: { errors } }
    : { statusCode: 200, body: { errors, data: null } };
}
