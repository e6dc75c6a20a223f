/** A text reply as a string; the application's client may return a Buffer. */
export function textOf(reply: unknown): string {
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : String(reply);
}

/** The items of a list reply; empty when the reply is not a list. */
export function textsOf(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(textOf) : [];
}
