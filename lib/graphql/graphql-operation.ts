import type { ArgumentsHost } from '@nestjs/common';
import { contextKinds, finders, type Failure, type SessionScope } from '../requests/session-scope';
import type { Socket } from '../requests/socket-unit';
import { connectionOf, requestIn, type ExecutionInfo, type OperationContext } from './operation-context';
import { OperationSocket } from './operation-socket';

/** GraphQL over HTTP: an answer of this type tells by its status that there is no data. Others are 200 whatever went wrong. */
const GRAPHQL_RESPONSE = 'application/graphql-response+json';

/**
 * Lets resolvers, and guards on them, find the session of the HTTP request in which their operation came, or of its socket. Needs no package
 * of GraphQL.
 * @param translate see `UnitOfWork.translate`
 */
export function findOperations(translate: Socket['translate']): void {
  if (contextKinds.has('graphql')) return;
  const scopeOverSocket = (context: OperationContext, info?: ExecutionInfo): SessionScope | undefined => {
    const connection = connectionOf(context);
    return connection && OperationSocket.of(connection, translate).unit(context, info).scope;
  };
  contextKinds.set('graphql', {
    requestOf(host) {
      const [context, info] = argumentsOf(host);
      const scope = scopeOverSocket(context, info);
      if (scope !== undefined) return scope.unit.request;
      return requestIn(context);
    },
    tellFailure,
  });
  // Filters of subscriptions get the context alone.
  finders.add((context) => scopeOverSocket(context));
}

/** A resolver of references has no arguments: (reference, context, info). */
function argumentsOf(host: ArgumentsHost): [context: OperationContext, info: ExecutionInfo | undefined] {
  const args = host.getArgs<unknown[]>();
  const [context, info] = args.slice(args.length === 3 ? 1 : 2);
  return [context ?? {}, info as ExecutionInfo | undefined];
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
