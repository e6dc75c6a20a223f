import { ServerResponse, type OutgoingHttpHeaders } from 'node:http';
import type { ResponseHeaders } from '../transports/session-transport';

/** The methods that start or continue a response. */
export const GATED = ['writeHead', 'write', 'end', 'flushHeaders'] as const;
export type GatedMethod = (typeof GATED)[number];
export type Method = (...args: unknown[]) => unknown;
export type Originals = Readonly<Record<GatedMethod, Method>>;

export type Head = Pick<ServerResponse, 'statusCode' | 'statusMessage'>;

/** Undocumented properties of Node's responses. */
interface Internals {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
}

const nodeMethods = ServerResponse.prototype as unknown as Originals;

/** The response of HTTP/2's compatibility API also has `_header`, but as a getter. */
export function isHttp1(response: ServerResponse): boolean {
  return Object.hasOwn(response, '_header');
}

/** Whether this is Node's own `writeHead`, which gets its arguments unchanged. */
export function isNodeWriteHead(writeHead: unknown): boolean {
  return writeHead === nodeMethods.writeHead;
}

/** HTTP/2 has no reason phrase; reading `statusMessage` logs a warning. */
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

/** Headers in the forms that `writeHead` accepts: an object, a flat array, or an array of pairs. */
type GivenHeaders = OutgoingHttpHeaders | readonly unknown[];
type Pair = [name: string, value: string | string[]];

/**
 * The headers of a response before it is sent: those set on it, overridden by those passed to `writeHead`. Changes are made where Node
 * will read them; the other headers keep their form, order and spelling.
 */
export class OutgoingHeaders implements ResponseHeaders {
  /** `null` when none are given, or a flat array of odd length, which Node will refuse. */
  #pairs: Pair[] | null;
  #changed = false;

  /** @param writeHead the method that will get the given headers */
  constructor(
    private readonly response: ServerResponse,
    private readonly given: GivenHeaders | undefined,
    private readonly writeHead: unknown = nodeMethods.writeHead,
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
    // When no headers are set, Node sends the given ones unchanged, and accepts forms that it refuses otherwise.
    const isSentAsGiven =
      this.#pairs !== null && isNodeWriteHead(this.writeHead) && this.response.getHeaderNames().length === 0;
    const [first, ...more] = this.#pairs === null ? [] : this.#givenAs(name);
    if (isSentAsGiven || first !== undefined) this.#put([first?.[0] ?? name, value], first, more);
    if (!isSentAsGiven) this.response.setHeader(name, value);
  }

  /** Returns the arguments of the call, with the changed headers. */
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

  /** Replaces the first header of this name in its place, and removes the others. */
  #put(pair: Pair, first: Pair | undefined, more: readonly Pair[]): void {
    this.#changed = true;
    const rest = this.#pairs!.filter((each) => !more.includes(each));
    this.#pairs = first === undefined ? [...rest, pair] : rest.map((each) => (each === first ? pair : each));
  }
}

/** Returns the headers of `writeHead(status, reason?, headers?)`. */
export function givenHeaders(args: unknown[]): GivenHeaders | undefined {
  return (args[headersIndex(args)] ?? undefined) as GivenHeaders | undefined;
}

/** Node reads headers from the second argument when it is not a string and there is no third. */
function headersIndex(args: unknown[]): number {
  return typeof args[1] === 'string' || (args[2] ?? null) !== null ? 2 : 1;
}

function toPairs(given: GivenHeaders): Pair[] | null {
  if (!Array.isArray(given)) return Object.entries(given) as Pair[];
  if (Array.isArray(given[0])) return given as Pair[];
  if (given.length % 2 === 1) return null;
  return Array.from({ length: given.length / 2 }, (_, i) => [given[2 * i], given[2 * i + 1]] as Pair);
}
