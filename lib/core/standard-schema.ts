/** One reason why a schema refuses a value. `message` is the schema's own text, and may quote the value. */
export interface SchemaIssue {
  readonly message: string;
  /** Leads to the refused part of the value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The result of a validation: the output, or the reasons of the refusal. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/**
 * A schema of zod, valibot, arktype or another library that implements Standard Schema, version 1 (https://standardschema.dev). Only the
 * part of the specification that sessions use.
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/**
 * The types of the values that schemas return, by key:
 *
 * ```ts
 * const schema = { cart: z.array(z.string()) };
 * declare module 'nestjs-tessera' {
 *   interface SessionData extends InferData<typeof schema> {}
 * }
 * ```
 */
export type InferData<S extends Readonly<Record<string, StandardSchema>>> = {
  -readonly [K in keyof S]: NonNullable<S[K]['~standard']['types']>['output'];
};
