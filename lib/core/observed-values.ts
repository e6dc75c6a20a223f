import { UnsupportedValue, type SessionCodec } from './session-codec';
import { decodeValue, encodeValue } from './session-body';
import { SessionValueError } from './session.errors';

/** Tracks the objects that application code got from or put into a session, with their encoded texts, to detect changes in place. */
export class ObservedValues {
  readonly #seen = new Map<string, { readonly value: object; text: string | null }>();

  constructor(private readonly codec: SessionCodec) {}

  /** Records the text of an object that is returned to application code. */
  see(key: string, value: object): void {
    if (this.#seen.get(key)?.value !== value) this.#note(key, value, this.encode(key, value));
  }

  /**
   * Checks that a value is supported. Records and returns the text of an object; returns `null` for a value that cannot change in place.
   * @throws SessionValueError
   */
  accept(key: string, value: unknown): string | null {
    if (typeof value === 'function' || typeof value === 'symbol') this.encode(key, value);
    if (typeof value !== 'object' || value === null) return null;
    const text = this.encode(key, value);
    this.#note(key, value, text);
    return text;
  }

  /** Returns the new text of a key's object if it was changed in place since the last check, else `null`. */
  changed(key: string, current: unknown): { readonly value: object; readonly text: string | null } | null {
    const seen = this.#seen.get(key);
    if (seen === undefined || seen.value !== current) return null;
    const text = this.#textOf(seen.value);
    if (text === seen.text) return null;
    seen.text = text;
    return { value: seen.value, text };
  }

  /** Returns the last recorded text of a key's object, or its current text; `null` for other values. */
  textOf(key: string, current: unknown): string | null {
    const seen = this.#seen.get(key);
    if (seen !== undefined && seen.value === current) return seen.text;
    return typeof current === 'object' && current !== null ? this.#textOf(current) : null;
  }

  /** Returns the object if it still has this text, else a copy decoded from the text. */
  asItWas(value: object, text: string): unknown {
    return this.#textOf(value) === text ? value : decodeValue(text, this.codec);
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
        throw new SessionValueError(`'${key}'${error.path}`, error.reason);
      throw new SessionValueError(`'${key}'`, 'the codec failed to encode it');
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
