import type { SessionData, SessionKey } from './core/session-data';
import type { StandardSchema } from './core/standard-schema';
import { isPromise, ValueSchemas, type OnMismatch } from './core/value-schemas';

/** The options of `SessionModule.forRoot` that check values at run time. */
export interface SchemaOptions {
  /**
   * Schemas of zod, valibot, arktype or another library of Standard Schema, by key. A value is checked when it is set, when it was changed in
   * place, and when it is read from the store; what is stored is the schema's output. A schema must be synchronous, expect any
   * value, and return its own output unchanged.
   * @default none: values are not checked
   */
  readonly schema?: { readonly [K in SessionKey]?: StandardSchema<SessionData[K]> };
  /**
   * Called for a stored value that its schema refuses, such as one of an older release. Returns the value in its present form, or `undefined`
   * to drop it, with an event `rejected` of the reason `schema`.
   * @default drops it
   */
  readonly onMismatch?: OnMismatch;
}

/** Returns the checks, or `undefined` without schemas, and what is wrong with these options. */
export function resolveSchemas(
  { schema, onMismatch }: SchemaOptions,
  show: (value: unknown) => string,
): { readonly schemas: ValueSchemas | undefined; readonly problems: readonly string[] } {
  const problems: string[] = [];
  if (onMismatch !== undefined && typeof onMismatch !== 'function')
    problems.push(`onMismatch must be a function, got ${show(onMismatch)}`);
  if (schema === undefined) {
    if (onMismatch !== undefined) problems.push('onMismatch needs the option schema');
    return { schemas: undefined, problems };
  }
  if (isStandardSchema(schema))
    problems.push('schema must be an object with a schema for each key, got one schema: name its keys');
  else if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    problems.push(`schema must be an object with a schema for each key, got ${show(schema)}`);
  else
    problems.push(...Object.entries<unknown>(schema).flatMap(([key, value]) => problemOf(key, value, show)));
  if (problems.length > 0) return { schemas: undefined, problems };
  return { schemas: new ValueSchemas(schema, onMismatch), problems };
}

function problemOf(key: string, value: unknown, show: (value: unknown) => string): string[] {
  if (!isStandardSchema(value))
    return [
      `schema.${key} must be a schema of zod, valibot, arktype or another library of Standard Schema, got ${show(value)}`,
    ];
  const { version, validate } = value['~standard'] as Readonly<Record<string, unknown>>;
  const lack = typeof validate === 'function' ? '' : ' without validate()';
  if (version !== 1 || lack !== '')
    return [`schema.${key} must implement version 1 of Standard Schema, got version ${show(version)}${lack}`];
  const failure = failureOf(value);
  if (failure === null) return [];
  return [
    `schema.${key} must return a result for any value, since the store may have one of an older release: for undefined it ${failure}`,
  ];
}

/** The schemas of arktype are functions. */
function isStandardSchema(value: unknown): value is StandardSchema {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  const standard = isObject ? (value as Partial<StandardSchema>)['~standard'] : undefined;
  return typeof standard === 'object' && standard !== null;
}

/** Says how a schema fails for a value that it surely does not expect, or returns `null`. Schemas that fail for others are found in use. */
function failureOf(schema: StandardSchema): string | null {
  try {
    if (!isPromise(schema['~standard'].validate(undefined))) return null;
    return 'returned a promise; leave out what is asynchronous, and with zod also what throws';
  } catch (error) {
    return `threw ${error instanceof Error ? error.name : 'something'}`;
  }
}
