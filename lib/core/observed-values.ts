import { UnsupportedValue, type SessionCodec } from './session-codec';
import { decodeValue, encodeValue } from './session-body';
import { SessionValueError } from './session.errors';

/**
 * Keeps an eye on the objects of a session that application code holds: each with the text it had, since an object may be
 * changed in place.
 */
export class ObservedValues {
  readonly #seen = new Map<string, { readonly value: object; text: string | null }>();

  constructor(private readonly codec: SessionCodec) {}

  /** Notes what an object looks like when it is handed out. */
  see(key: string, value: object): void {
    if (this.#seen.get(key)?.value !== value) this.#note(key, value, this.encode(key, value));
  }

  /**
   * Makes sure that a value can be kept, and takes what it looks like now as known: the text of an object, `null` for
   * what cannot change in place.
   * @throws SessionValueError
   */
  accept(key: string, value: unknown): string | null {
    if (typeof value === 'function' || typeof value === 'symbol') this.encode(key, value);
    if (typeof value !== 'object' || value === null) return null;
    const text = this.encode(key, value);
    this.#note(key, value, text);
    return text;
  }

  /** What the object under a key has become, if it was changed in place since it was last looked at. */
  changed(key: string, current: unknown): { readonly value: object; readonly text: string | null } | null {
    const seen = this.#seen.get(key);
    if (seen === undefined || seen.value !== current) return null;
    const text = this.#textOf(seen.value);
    if (text === seen.text) return null;
    seen.text = text;
    return { value: seen.value, text };
  }

  /** What the object under a key looked like when it was last handed in or out; `null` for anything else. */
  textOf(key: string, current: unknown): string | null {
    const seen = this.#seen.get(key);
    if (seen !== undefined && seen.value === current) return seen.text;
    return typeof current === 'object' && current !== null ? this.#textOf(current) : null;
  }

  /** The object itself while it looks so, else a copy that does. */
  asItWas(value: object, text: string): unknown {
    return this.#textOf(value) === text ? value : decodeValue(text, this.codec);
  }

  /** A value that nobody else holds. */
  copy(key: string, value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    return decodeValue(this.encode(key, value), this.codec);
  }

  /** @throws SessionValueError naming the key, and where in the value the trouble is */
  encode(key: string, value: unknown): string {
    try {
      return encodeValue(value, this.codec);
    } catch (error) {
      if (error instanceof UnsupportedValue)
        throw new SessionValueError(`'${key}'${error.path}`, error.reason);
      throw new SessionValueError(`'${key}'`, 'the codec refused it');
    }
  }

  keys(): Iterable<string> {
    return this.#seen.keys();
  }

  #note(key: string, value: object, text: string | null): void {
    this.#seen.set(key, { value, text });
  }

  #textOf(value: object): string | null {
    try {
      return encodeValue(value, this.codec);
    } catch {
      return null;
    }
  }
}
