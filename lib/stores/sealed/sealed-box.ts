/** One key at work in one compact serialization of JOSE (RFC 7515, RFC 7516). */
export interface SealedBox {
  /** The protected header as it stands in every value: the text up to the first dot. It is authenticated with the content. */
  readonly header: string;

  /** The whole value, header and all. */
  seal(text: string): string;

  /** What was sealed, or `null` for what this key did not seal. The value has this box's header. */
  open(value: string): string | null;
}
