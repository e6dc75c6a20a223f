/** Seals texts with one key, in a JOSE compact serialization (RFC 7515, RFC 7516). */
export interface SealedBox {
  /** The encoded protected header: the text of every value up to the first dot. It is authenticated with the content. */
  readonly header: string;

  /** Returns the whole value, including the header. */
  seal(text: string): string;

  /** Returns the sealed text, or `null` when this key did not seal the value. The value must have this box's header. */
  open(value: string): string | null;
}
