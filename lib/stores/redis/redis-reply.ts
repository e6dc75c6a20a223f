/** A text, in whatever form the application has its client hand them out. */
export function textOf(reply: unknown): string {
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : String(reply);
}

/** The items of a list; none for no list. */
export function textsOf(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(textOf) : [];
}
