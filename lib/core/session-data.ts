/**
 * What your application keeps in a session. Declare it once, and every `get`, `set` and `@Session('key')` is typed:
 *
 * ```ts
 * declare module 'nestjs-tessera' {
 *   interface SessionData { cart: string[]; theme?: 'light' | 'dark' }
 * }
 * ```
 *
 * Values may be any JSON value plus `Date`, `Map`, `Set`, `bigint`, `Uint8Array` and `undefined`.
 */

export interface SessionData {}

/** What `login(principal, { constants })` fixes until logout, read with `session.constant(key)`. Augment it like {@link SessionData}. */

export interface SessionConstants {}

/**
 * The kinds of flash message and the type of each. Augment it to type `flash` and `messages`;
 * until you do, any kind is accepted and a message is a string.
 */

export interface SessionMessages {}

/** A key declared in {@link SessionData}. */
export type SessionKey = keyof SessionData & string;

/** A key declared in {@link SessionConstants}. */
export type SessionConstantKey = keyof SessionConstants & string;

/** What `login` may fix: the constants declared in {@link SessionConstants}, and none until there are. */
export type ConstantValues = keyof SessionConstants extends never
  ? Record<string, never>
  : Partial<SessionConstants>;

/** A kind of flash message: any string, or the ones declared in {@link SessionMessages}. */
export type FlashKind = keyof SessionMessages extends never ? string : keyof SessionMessages & string;

/** The type of a flash message of one kind. */
export type FlashMessage<K extends FlashKind = FlashKind> = K extends keyof SessionMessages
  ? SessionMessages[K]
  : string;
