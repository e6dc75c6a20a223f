/** The used part of Fastify's reply. Its types may not be installed. */
interface Reply {
  readonly statusCode: number;
  code(status: number): unknown;
  header(name: string, value: string | string[]): unknown;
  redirect(url: string): unknown;
  send(body: string): unknown;
}

/** What Passport uses of Node's response, for a reply of Fastify: without it no strategy can redirect there. */
class ReplyAsResponse {
  constructor(private readonly reply: Reply) {}

  get statusCode(): number {
    return this.reply.statusCode;
  }

  set statusCode(status: number) {
    this.reply.code(status);
  }

  setHeader(name: string, value: string | string[]): void {
    this.reply.header(name, value);
  }

  redirect(url: string): void {
    this.reply.redirect(url);
  }

  end(body = ''): void {
    this.reply.send(body);
  }
}

/** Returns a response with the methods of Node's. Guards of GraphQL may have none. */
export function toNodeResponse(response: object): object {
  const { setHeader, code } = Object(response) as { readonly setHeader?: unknown; readonly code?: unknown };
  const isReply = typeof setHeader !== 'function' && typeof code === 'function';
  return isReply ? new ReplyAsResponse(response as Reply) : response;
}
