import { isDeepStrictEqual } from 'node:util';
import type { SessionKey } from './session-data';
import { shortened, stepText } from './session-codec';
import { setOwn } from './session-state';
import { SessionError, SessionValueError } from './session.errors';
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema';

/**
 * Called for a stored value that its schema refuses. Returns the value in its present form, or `undefined` to drop it. It is called at each
 * reading until the session is written, so it must have no side effects.
 */
export type OnMismatch = (key: SessionKey, value: unknown, issues: readonly SchemaIssue[]) => unknown;

/** Told of each stored value that is dropped. */
export interface DropReport {
  dropped(key: string): void;
}

/** Checks the values of a session by the schemas of their keys. Values of keys without a schema are not checked. */
export class ValueSchemas {
  readonly #schemas: ReadonlyMap<string, StandardSchema>;

  constructor(
    schemas: Readonly<Record<string, StandardSchema>>,
    private readonly onMismatch: OnMismatch | undefined,
  ) {
    this.#schemas = new Map(Object.entries(schemas));
  }

  /**
   * Returns what is stored for a value: the output of its schema, or the value itself when it equals the output, so that it may be changed in
   * place. The schema must accept its output and return it unchanged, since it checks the stored value at each reading.
   * @throws SessionValueError
   */
  conform(key: string, value: unknown): unknown {
    const schema = this.#schemas.get(key);
    if (schema === undefined) return value;
    const output = outputOf(key, schema, value);
    if (isDeepStrictEqual(output, value)) return value;
    const again = validate(key, schema, output);
    if (again.issues !== undefined || !isDeepStrictEqual(again.value, output)) throw unstable(key);
    return output;
  }

  /** @throws SessionValueError when the schema refuses the value */
  assertValid(key: string, value: unknown): void {
    const schema = this.#schemas.get(key);
    if (schema !== undefined) outputOf(key, schema, value);
  }

  /** Replaces stored values by the outputs of their schemas, and removes those that do not match. */
  admit(data: Record<string, unknown>, report: DropReport | null): void {
    for (const [key, schema] of this.#schemas) {
      if (!Object.hasOwn(data, key)) continue;
      const result = this.#read(key, schema, data[key]);
      if (result.issues === undefined) setOwn(data, key, result.value);
      else {
        delete data[key];
        report?.dropped(key);
      }
    }
  }

  /** Validates a stored value, and what the application makes of it when it does not match. */
  #read(key: string, schema: StandardSchema, value: unknown): SchemaResult<unknown> {
    const result = validate(key, schema, value);
    if (result.issues === undefined || this.onMismatch === undefined) return result;
    const migrated = this.onMismatch(key as SessionKey, value, result.issues);
    if (isPromise(migrated))
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        'onMismatch returned a promise. It is called while a session is read, and must return the value.',
      );
    return migrated === undefined ? result : validate(key, schema, migrated);
  }
}

/** @throws SessionError `SESSION_OPTIONS_INVALID` for an asynchronous schema; what the schema throws */
function validate(key: string, schema: StandardSchema, value: unknown): SchemaResult<unknown> {
  const result = schema['~standard'].validate(value);
  if (!isPromise(result)) return result;
  const message = `schema.${key} returned a promise, but a session checks its values at once. Leave out what is asynchronous; a schema of zod returns a promise too when its own code throws.`;
  throw new SessionError('SESSION_OPTIONS_INVALID', message);
}

/** Whether a function was asynchronous. Its own failure is ignored then. */
export function isPromise(result: unknown): result is Promise<unknown> {
  if (typeof (result as Partial<Promise<unknown>> | null | undefined)?.then !== 'function') return false;
  (result as Promise<unknown>).then(undefined, () => undefined);
  return true;
}

function outputOf(key: string, schema: StandardSchema, value: unknown): unknown {
  const result = validate(key, schema, value);
  if (result.issues === undefined) return result.value;
  throw refused(key, value, result.issues);
}

/** Names the type of the refused part and not the issue's own text: that of valibot and arktype quotes the value. */
function refused(key: string, value: unknown, issues: readonly SchemaIssue[]): SessionValueError {
  // Not by its own map(): the array may be of a class, such as arktype's, which makes something else of it.
  const keys = Array.from(issues[0]?.path ?? [], (step) => (typeof step === 'object' ? step.key : step));
  const path = shortened(keys.map(stepText).join(''));
  const more = issues.length > 1 ? `, and ${issues.length - 1} more` : '';
  const reason = `its schema refuses ${typeAt(value, keys)}${more}; the property issues of this error tells why`;
  return new SessionValueError(`'${key}'${path}`, reason, issues);
}

function unstable(key: string): SessionValueError {
  const reason =
    'its schema does not return its own output unchanged, so a later request could not read it; store the output of a transformation, with a schema of the output';
  return new SessionValueError(`'${key}'`, reason, [{ message: 'The schema changes its own output' }]);
}

/** Names the type of the part of a value to which a path leads. */
function typeAt(value: unknown, path: readonly PropertyKey[]): string {
  let part = value;
  for (const step of path)
    part = part instanceof Map ? part.get(step) : (Object(part) as Record<PropertyKey, unknown>)[step];
  if (part === null || part === undefined) return String(part);
  if (Array.isArray(part)) return 'an array';
  return typeof part === 'object' ? 'an object' : `a ${typeof part}`;
}
