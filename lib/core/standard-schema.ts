/** One reason why a schema refuses a value. */
export interface SchemaIssue {
  /** The schema's own text, which may quote the value: not for a log. */
  readonly message: string;
  /** Leads to the refused part of the value: one key for each level. */
  readonly path?:
    | readonly (
        | PropertyKey
        | {
            /** The key, where a schema describes each level by an object. */
            readonly key: PropertyKey;
          }
      )[]
    | undefined;
}

/** The result of a validation: the output, or the reasons of the refusal. */
export type SchemaResult<Output> =
  /** The schema accepts the value. */
  | {
      /** The output of the schema, which may differ from the value that it was given. */
      readonly value: Output;
      /** Absent, unlike in a refusal. */
      readonly issues?: undefined;
    }
  /** The schema refuses the value. */
  | {
      /** At least one reason. */
      readonly issues: readonly SchemaIssue[];
    };

/**
 * A schema of zod, valibot, arktype or another library that implements Standard Schema, version 1 (https://standardschema.dev). Only the
 * part of the specification that sessions use.
 */
export interface StandardSchema<Output = unknown> {
  /** What the specification requires of a schema, under the name that it gives. */
  readonly '~standard': {
    /** The version of the specification. */
    readonly version: 1;
    /** The library that the schema is of, such as `zod`. */
    readonly vendor: string;
    /** Returns the output for a value, or why the schema refuses it. A session accepts no promise: see the option `schema`. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** For the compiler only: the property need not exist at run time. */
    readonly types?:
      | {
          /** The type of values that the schema is given. */
          readonly input: unknown;
          /** The type of values that it returns. */
          readonly output: Output;
        }
      | undefined;
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
