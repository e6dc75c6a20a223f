/**
 * The keys of a session and their types. Declare them once to type `get`, `set` and `@Session('key')`:
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

/**
 * The constants of `session.setConstant(key, value)` and `login(principal, { constants })` and their types, read with
 * `session.constant(key)`. Augment it like {@link SessionData}.
 */
export interface SessionConstants {}

/**
 * The kinds of flash messages and their types. Augment it to type `flash` and `messages`. Without that, any kind is accepted, and
 * a message is a string.
 */
export interface SessionMessages {}

/**
 * What a login keeps of its principal beside id and roles, such as `{ tenant: string }`: passed as `login({ id, claims })`, read as
 * `principal.claims`. Augment it like {@link SessionData}, with types of JSON.
 */
export interface PrincipalClaims {}

/** The claims of a principal: those declared in {@link PrincipalClaims}, or any JSON values when none is declared. */
export type ClaimValues = keyof PrincipalClaims extends never
  ? Readonly<Record<string, unknown>>
  : Readonly<Partial<PrincipalClaims>>;

/** A key declared in {@link SessionData}. */
export type SessionKey = keyof SessionData & string;

/**
 * A key as a method takes it. Where no key is declared, the compiler's message shows the text instead of `never`.
 */
export type KeyOf<K extends SessionKey = SessionKey> = [keyof SessionData] extends [never]
  ? "Declare the session's keys first: declare module 'nestjs-tessera' { interface SessionData { cart: string[] } }"
  : K;

/** A key declared in {@link SessionConstants}. */
export type SessionConstantKey = keyof SessionConstants & string;

/** The constants that `login` accepts: those declared in {@link SessionConstants}, or none. */
export type ConstantValues = keyof SessionConstants extends never
  ? Record<string, never>
  : Partial<SessionConstants>;

/** A kind of flash message: declared in {@link SessionMessages}, or any string when none is declared. */
export type FlashKind = keyof SessionMessages extends never ? string : keyof SessionMessages & string;

/** The type of a flash message of one kind. */
export type FlashMessage<K extends FlashKind = FlashKind> = K extends keyof SessionMessages
  ? SessionMessages[K]
  : string;
