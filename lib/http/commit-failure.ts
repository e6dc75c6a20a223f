import { unavailableBody, SessionUnavailableException } from './session.exceptions';

/** The fixed answer to a request whose session could not be saved once its handler was done: no filter runs any more. */
export function failureOf(error: unknown): { readonly statusCode: number; readonly message: string } {
  return error instanceof SessionUnavailableException
    ? unavailableBody(error.code)
    : { statusCode: 500, message: 'Internal server error' };
}
