import { ServerResponse, type OutgoingHttpHeaders } from 'node:http';
import type { ResponseHeaders } from '../transports/session-transport';

/** What starts a response, or goes on with it. */
export const GATED = ['writeHead', 'write', 'end', 'flushHeaders'] as const;
export type GatedMethod = (typeof GATED)[number];
export type Method = (...args: unknown[]) => unknown;
export type Originals = Readonly<Record<GatedMethod, Method>>;

export type Head = Pick<ServerResponse, 'statusCode' | 'statusMessage'>;

/** What Node keeps on its responses besides what it documents. */
interface Internals {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
}

const nodes = ServerResponse.prototype as unknown as Originals;

/** HTTP/2's compatibility response has a `_header` too, but as a getter. */
export function isHttp1(response: ServerResponse): boolean {
  return Object.hasOwn(response, '_header');
}

/** Whether what is given to it comes to Node as it is. */
export function isNodes(writeHead: unknown): boolean {
  return writeHead === nodes.writeHead;
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
type Pair = [name: string, value: string | string[]];

/**
 * The headers of a response about to be sent: those set on it, overridden by those given to `writeHead`. What is changed
 * is changed where Node will take it from; the rest keeps its form, order and spelling.
 */
export class OutgoingHeaders implements ResponseHeaders {
  /** `null` where none are given, or half a header, which is for Node to refuse. */
  #pairs: Pair[] | null;
  #changed = false;

  /** @param writeHead what the given ones are given to: where that is Node's own, they come to Node as they are */
  constructor(
    private readonly response: ServerResponse,
    private readonly given: GivenHeaders | undefined,
    private readonly writeHead: unknown = nodes.writeHead,
  ) {
    this.#pairs = given === undefined ? null : toPairs(given);
  }

  names(): string[] {
    return [...this.response.getHeaderNames(), ...(this.#pairs ?? []).map(([name]) => name)];
  }

  get(name: string): string[] {
    const given = this.#pairs === null ? [] : this.#givenAs(name).flatMap(([, value]) => value ?? []);
    const values = given.length > 0 ? given : [this.response.getHeader(name) ?? []].flat();
    return values.map(String);
  }

  set(name: string, values: string[]): void {
    const value = values.length === 1 && name !== 'Set-Cookie' ? values[0]! : values;
    // Where none are set, Node sends the given ones as they are, and takes forms that it refuses otherwise.
    const isSentAsGiven =
      this.#pairs !== null && isNodes(this.writeHead) && this.response.getHeaderNames().length === 0;
    const [first, ...more] = this.#pairs === null ? [] : this.#givenAs(name);
    if (isSentAsGiven || first !== undefined) this.#put([first?.[0] ?? name, value], first, more);
    if (!isSentAsGiven) this.response.setHeader(name, value);
  }

  /** The arguments of the call, with what was put among its headers. */
  toArguments(args: unknown[]): unknown[] {
    if (!this.#changed) return args;
    const pairs = this.#pairs!;
    const isObject = !Array.isArray(this.given);
    const isFlat = Array.isArray(this.given) && !Array.isArray(this.given[0]);
    return args.with(
      headersIndex(args),
      isObject ? Object.fromEntries(pairs) : isFlat ? pairs.flat(1) : pairs,
    );
  }

  #givenAs(name: string): Pair[] {
    const lower = name.toLowerCase();
    return this.#pairs!.filter(([key]) => String(key).toLowerCase() === lower);
  }

  /** It goes where its like stood, and keeps its spelling. */
  #put(pair: Pair, first: Pair | undefined, more: readonly Pair[]): void {
    this.#changed = true;
    const rest = this.#pairs!.filter((each) => !more.includes(each));
    this.#pairs = first === undefined ? [...rest, pair] : rest.map((each) => (each === first ? pair : each));
  }
}

/** The headers among the arguments of `writeHead(status, reason?, headers?)`. */
export function givenHeaders(args: unknown[]): GivenHeaders | undefined {
  return (args[headersIndex(args)] ?? undefined) as GivenHeaders | undefined;
}

/** Node takes the second argument for headers when it is no text and there is no third. */
function headersIndex(args: unknown[]): number {
  return typeof args[1] === 'string' || (args[2] ?? null) !== null ? 2 : 1;
}

function toPairs(given: GivenHeaders): Pair[] | null {
  if (!Array.isArray(given)) return Object.entries(given) as Pair[];
  if (Array.isArray(given[0])) return given as Pair[];
  if (given.length % 2 === 1) return null;
  return Array.from({ length: given.length / 2 }, (_, i) => [given[2 * i], given[2 * i + 1]] as Pair);
}
