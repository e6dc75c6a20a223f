import { UnsupportedValue, shortened, type SessionCodec } from './session-codec';
import { decodeValue, encodeValue } from './session-body';
import type { Operation } from './session-operation';
import { getOwn, setOwn } from './session-state';
import { SessionValueError } from './session.errors';
import type { ValueSchemas } from './value-schemas';

/** Tracks the objects that application code got from or put into a session, with their encoded texts, to detect changes in place. */
export class ObservedValues {
  readonly #seen = new Map<string, { readonly value: object; text: string | null }>();
  /** Keys whose value was changed in place, and not checked since. */
  #unchecked: Set<string> | undefined;

  constructor(
    private readonly codec: SessionCodec,
    private readonly schemas: ValueSchemas | undefined,
  ) {}

  /** Records the text of an object that is returned to application code. */
  see(key: string, value: object): void {
    if (this.#seen.get(key)?.value !== value) this.#seen.set(key, { value, text: this.encode(key, value) });
  }

  /**
   * Returns what is stored for a value: see `ValueSchemas.conform`.
   * @throws SessionValueError when its schema refuses it
   */
  conform(key: string, value: unknown): unknown {
    return this.schemas === undefined ? value : this.schemas.conform(key, value);
  }

  /**
   * Checks that a value is supported. Records and returns the text of an object; returns `null` for another value, which cannot change.
   * @throws SessionValueError
   */
  accept(key: string, value: unknown): string | null {
    if (typeof value === 'function' || typeof value === 'symbol') this.encode(key, value);
    if (typeof value !== 'object' || value === null) return null;
    const text = this.encode(key, value);
    this.#seen.set(key, { value, text });
    return text;
  }

  /**
   * Sets a key. Returns the operation that does it again, or `null` when the key has this value already.
   * @throws SessionValueError
   */
  put(data: Record<string, unknown>, key: string, given: unknown): Operation | null {
    const value = this.conform(key, given);
    const isSet = Object.hasOwn(data, key);
    const current = isSet ? data[key] : undefined;
    const known = this.#lastTextOf(key, current);
    const text = this.accept(key, value);
    setOwn(data, key, value);
    const isSame = text === null ? isSet && Object.is(current, value) : text === known;
    return isSame ? null : this.#putting(key, value, text);
  }

  /**
   * Sets a key as {@link put} does, but leaves it to the commit to check the value, as it checks what was changed in place. Never throws. The
   * object that was given stays the one that is stored, whatever its schema would make of it.
   */
  follow(data: Record<string, unknown>, key: string, value: unknown): Operation | null {
    const isSet = Object.hasOwn(data, key);
    const current = isSet ? data[key] : undefined;
    const known = this.#lastTextOf(key, current);
    const isObject = typeof value === 'object' && value !== null;
    const text = isObject ? this.#textOf(value) : null;
    if (isObject) this.#seen.set(key, { value, text });
    (this.#unchecked ??= new Set()).add(key);
    setOwn(data, key, value);
    const isSame = isObject ? text !== null && text === known : isSet && Object.is(current, value);
    return isSame ? null : this.#putting(key, value, text);
  }

  /** Whether an object was changed in place since it was seen or set. */
  isChanged(key: string, value: unknown): boolean {
    const seen = this.#seen.get(key);
    return seen !== undefined && seen.value === value && this.#textOf(seen.value) !== seen.text;
  }

  /** Returns the operation for an object that was changed in place since the last check, or `null`. The commit refuses unsupported values. */
  mutation(data: Record<string, unknown>, key: string): Operation | null {
    const seen = this.#seen.get(key);
    if (seen === undefined || seen.value !== getOwn(data, key)) return null;
    const text = this.#textOf(seen.value);
    if (text === seen.text) return null;
    seen.text = text;
    (this.#unchecked ??= new Set()).add(key);
    return this.#putting(key, seen.value, text);
  }

  /**
   * Checks what was changed in place.
   * @throws SessionValueError when it is not supported, or its schema refuses it
   */
  assertValid(data: Record<string, unknown>): void {
    for (const key of this.#unchecked ?? []) {
      if (Object.hasOwn(data, key)) {
        if (this.#seen.get(key)?.text === null) this.encode(key, data[key]);
        this.schemas?.assertValid(key, data[key]);
      }
      this.#unchecked!.delete(key);
    }
  }

  /** Returns a deep copy. */
  copy(key: string, value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    return decodeValue(this.encode(key, value), this.codec);
  }

  /** @throws SessionValueError with the key and the path of the unsupported value */
  encode(key: string, value: unknown): string {
    try {
      return encodeValue(value, this.codec);
    } catch (error) {
      if (error instanceof UnsupportedValue)
        throw new SessionValueError(`'${key}'${shortened(error.path)}`, error.reason);
      throw new SessionValueError(`'${key}'`, 'the codec failed to encode it');
    }
  }

  keys(): Iterable<string> {
    return this.#seen.keys();
  }

  /** A replay may find the object changed, by a later `update` or by the application. Then a copy of what it was takes its place. */
  #putting(key: string, value: unknown, text: string | null): Operation {
    const asItWas = (): unknown =>
      text === null || this.#textOf(value) === text ? value : decodeValue(text, this.codec);
    return { kind: 'data', apply: (state) => setOwn(state.data, key, asItWas()) };
  }

  #lastTextOf(key: string, current: unknown): string | null {
    const seen = this.#seen.get(key);
    if (seen !== undefined && seen.value === current) return seen.text;
    return typeof current === 'object' && current !== null ? this.#textOf(current) : null;
  }

  #textOf(value: unknown): string | null {
    try {
      return encodeValue(value, this.codec);
    } catch {
      return null;
    }
  }
}
