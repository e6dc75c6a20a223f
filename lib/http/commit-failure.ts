import { unavailableBody, SessionUnavailableException } from './session.exceptions';

/** The fixed answer to a request whose session could not be saved once its handler was done: no filter runs any more. */
export function failureOf(error: unknown): { status: number; body: string } {
  const body =
    error instanceof SessionUnavailableException
      ? unavailableBody(error.code)
      : { statusCode: 500, message: 'Internal server error' };
  return { status: body.statusCode, body: JSON.stringify(body) };
}
