import { ServerResponse, type OutgoingHttpHeaders } from 'node:http';
import type { ResponseHeaders } from '../transports/session-transport';

/** What starts a response, or goes on with it. */
export type GatedMethod = 'writeHead' | 'write' | 'end' | 'flushHeaders';
export type Method = (...args: unknown[]) => unknown;
export type Originals = Readonly<Record<GatedMethod, Method>>;

export type Head = Pick<ServerResponse, 'statusCode' | 'statusMessage'>;

/** What Node keeps on its responses besides what it documents. */
interface Internals {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
}

/** HTTP/2's compatibility response has a `_header` too, but as a getter. */
export function isHttp1(response: ServerResponse): boolean {
  return Object.hasOwn(response, '_header');
}

/** Whether what is given to it comes to Node as it is. */
export function isNodes(writeHead: unknown): boolean {
  return writeHead === ServerResponse.prototype.writeHead;
}

/** HTTP/2 has no reason phrase, and warns whoever asks for it. */
export function headOf(response: ServerResponse): Head {
  const { statusCode } = response;
  return (isHttp1(response) ? { statusCode, statusMessage: response.statusMessage } : { statusCode }) as Head;
}

export function internals(response: ServerResponse): Internals {
  return response as unknown as Internals;
}

export function rawHeaderNames(response: ServerResponse): string[] {
  return (response as ServerResponse & { getRawHeaderNames(): string[] }).getRawHeaderNames();
}

/** Headers as `writeHead` takes them: by name, flat, or in pairs. */
type GivenHeaders = OutgoingHttpHeaders | readonly unknown[];
type Value = string | string[];
type Pair = [name: string, value: Value];

/**
 * The headers of a response about to be sent: those set on it, overridden by those given to `writeHead`. What is changed
 * is changed where Node will take it from; the rest keeps its form, order and spelling.
 */
export class OutgoingHeaders implements ResponseHeaders {
  readonly #given: Given | undefined;

  /** @param reachesNode whether what is given comes to Node as it is, and nobody has wrapped `writeHead` who reads it differently */
  constructor(
    private readonly response: ServerResponse,
    private readonly given: GivenHeaders | undefined,
    private readonly reachesNode = true,
  ) {
    // Half a header is for Node to refuse.
    const isHalf = Array.isArray(given) && !Array.isArray(given[0]) && given.length % 2 === 1;
    if (given !== undefined && !isHalf) this.#given = new Given(given);
  }

  names(): string[] {
    return [...this.response.getHeaderNames(), ...(this.#given?.names() ?? [])];
  }

  get(name: string): string[] {
    const given = this.#given?.values(name) ?? [];
    const values = given.length > 0 ? given : [this.response.getHeader(name) ?? []].flat();
    return values.map(String);
  }

  set(name: string, values: string[]): void {
    const value = values.length === 1 && name !== 'Set-Cookie' ? values[0]! : values;
    const given = this.#given;
    const isGiven = given !== undefined && given.values(name).length > 0;
    const isSentAsGiven = given !== undefined && this.#areSentAsGiven();
    if (isGiven || isSentAsGiven) given.put(name, value);
    if (!isSentAsGiven) this.response.setHeader(name, value);
  }

  /** What to give to `writeHead` in place of what was given. */
  toGiven(): GivenHeaders | undefined {
    return this.#given?.headers ?? this.given;
  }

  /** Where none are set, Node sends the given ones as they are, and takes forms that it refuses otherwise. */
  #areSentAsGiven(): boolean {
    return this.reachesNode && this.response.getHeaderNames().length === 0;
  }
}

/** Headers given to `writeHead`, in whichever form. What is put goes where its like stood, and keeps its spelling. */
class Given {
  readonly #form: 'object' | 'pairs' | 'flat';
  #pairs: Pair[];
  #changed = false;

  constructor(private readonly original: GivenHeaders) {
    this.#form = !Array.isArray(original) ? 'object' : Array.isArray(original[0]) ? 'pairs' : 'flat';
    this.#pairs = toPairs(original);
  }

  get headers(): GivenHeaders {
    if (!this.#changed) return this.original;
    switch (this.#form) {
      case 'object':
        return Object.fromEntries(this.#pairs);
      case 'pairs':
        return this.#pairs;
      case 'flat':
        return this.#pairs.flat(1);
    }
  }

  names(): string[] {
    return this.#pairs.map(([name]) => name);
  }

  values(name: string): string[] {
    return this.#find(name).flatMap(([, value]) => value ?? []);
  }

  put(name: string, value: Value): void {
    this.#changed = true;
    const [first, ...more] = this.#find(name);
    if (first === undefined) this.#pairs.push([name, value]);
    else
      this.#pairs = this.#pairs
        .filter((pair) => !more.includes(pair))
        .map((pair) => (pair === first ? [pair[0], value] : pair));
  }

  #find(name: string): Pair[] {
    const lower = name.toLowerCase();
    return this.#pairs.filter(([key]) => String(key).toLowerCase() === lower);
  }
}

/** The headers among the arguments of `writeHead(status, reason?, headers?)`. */
export function givenHeaders(args: unknown[]): GivenHeaders | undefined {
  return (args[headersIndex(args)] ?? undefined) as GivenHeaders | undefined;
}

/** The same arguments with other headers. */
export function withHeaders(args: unknown[], headers: GivenHeaders | undefined): unknown[] {
  return args.with(headersIndex(args), headers);
}

/** Node takes the second argument for headers when it is no text and there is no third. */
function headersIndex(args: unknown[]): number {
  return typeof args[1] === 'string' || (args[2] ?? null) !== null ? 2 : 1;
}

function toPairs(given: GivenHeaders): Pair[] {
  if (!Array.isArray(given)) return Object.entries(given) as Pair[];
  if (Array.isArray(given[0])) return [...(given as Pair[])];
  return Array.from({ length: given.length / 2 }, (_, i) => [given[2 * i], given[2 * i + 1]] as Pair);
}
