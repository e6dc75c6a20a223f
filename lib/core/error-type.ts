import { SessionError } from './session.errors';

/** What may be told of an error outside a log: a code, or the name of a class. */
const TELLABLE = /^\w{1,40}$/;

/**
 * Returns the kind of an error, one of few values that contain no data: the code of an error of this library; of a failed store call the code
 * or class of the driver's error, or `timeout`; else `_OTHER`, the value of OpenTelemetry's semantic conventions for `error.type`.
 */
export function errorType(error: unknown): string {
  if (!(error instanceof SessionError)) return kindOf(error);
  if (error.code !== 'SESSION_STORE_UNAVAILABLE') return error.code;
  const cause = error.cause as Error | undefined;
  // A store may have reported such an error itself.
  return cause === undefined ? 'timeout' : kindOf(cause.cause ?? cause);
}

function kindOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  const isTellable = (text: unknown): text is string => typeof text === 'string' && TELLABLE.test(text);
  return [code, name].find(isTellable) ?? '_OTHER';
}
