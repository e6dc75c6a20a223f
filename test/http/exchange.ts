import { request, type Agent, type IncomingMessage, type RequestOptions } from 'node:http';

/** Everything a client can tell about an answer. */
export interface Exchange {
  readonly status: number;
  readonly reason: string;
  /** In the order and spelling of the wire. */
  readonly headers: [name: string, value: string][];
  readonly body: Buffer;
  readonly trailers: string[];
  /** The informational answers before it. */
  readonly hints: number[];
  /** Whether it came to its proper end. */
  readonly complete: boolean;
}

/** One request as `node:http` sees it: `fetch` hides spelling, order, trailers and truncation. */
export async function exchange(
  url: string,
  options: RequestOptions & { agent?: Agent | false; body?: string } = {},
): Promise<Exchange> {
  const { body, ...rest } = options;
  const hints: number[] = [];
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, rest);
    sent.on('information', ({ statusCode }) => hints.push(statusCode));
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end(body);
  });
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', () => resolve());
    response.on('close', resolve);
  });
  return {
    status: response.statusCode!,
    reason: response.statusMessage!,
    headers: pairs(response.rawHeaders),
    body: Buffer.concat(chunks),
    trailers: response.rawTrailers,
    hints,
    complete: response.complete,
  };
}

/** The values of one header. */
export function valuesOf({ headers }: Pick<Exchange, 'headers'>, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

function pairs(raw: string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i]!, raw[2 * i + 1]!]);
}
