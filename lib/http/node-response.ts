import { ServerResponse, type OutgoingHttpHeaders } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import { setOwn } from '../core/session-state';
import type { ResponseHeaders } from '../transports/session-transport';

/** The methods that start or continue a response. */
export const GATED = ['writeHead', 'write', 'end', 'flushHeaders'] as const;
export type GatedMethod = (typeof GATED)[number];
export type Method = (...args: unknown[]) => unknown;
export type Originals = Readonly<Record<GatedMethod, Method>>;

/** A call of one of these methods. */
export interface Call {
  readonly name: GatedMethod;
  readonly args: unknown[];
}

export type Head = Pick<ServerResponse, 'statusCode' | 'statusMessage'>;

/** A response with those of Node's undocumented properties that are used here. */
export type NodeResponse = ServerResponse & {
  _header: string | null;
  readonly _headerSent: boolean;
  readonly _hasBody: boolean;
  getRawHeaderNames(): string[];
};

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

/** Returns a header of a response that has begun, however it was given; `null` when it has none. @param name in lower case */
export function sentHeader(response: ServerResponse, name: string): string | null {
  const { _header: head } = response as NodeResponse;
  if (!isHttp1(response)) return response.getHeader(name)?.toString() ?? null;
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(head ?? '')?.[1] ?? null;
}

/**
 * Whether nothing more can be sent. Node does not close a response that still waits for its turn, behind others of its HTTP/1 connection,
 * when that connection is lost. A response of HTTP/2 has no `closed`.
 */
export function isOver(response: ServerResponse): boolean {
  if (!isHttp1(response)) return (response as unknown as Http2ServerResponse).stream.destroyed;
  const { closed, socket, req } = response;
  return closed || (socket === null && req.socket.destroyed);
}

/** What is called when a connection is lost. One listener for all, because a client may send any number of requests at once. */
const whenLost = new WeakMap<Socket, Set<() => void>>();

/** Calls `then` once, when the response {@link isOver}. */
export function onceOver(response: ServerResponse, then: () => void): void {
  response.once('close', then);
  const { socket } = response.req;
  if (response.socket !== null || socket.destroyed) return;
  const calls = whenLost.get(socket) ?? new Set();
  if (!whenLost.has(socket)) socket.once('close', () => calls.forEach((call) => call()));
  whenLost.set(socket, calls);
  const lose = (): void => {
    response.off('close', then);
    then();
  };
  calls.add(lose);
  response.once('close', () => calls.delete(lose));
}

/** Copies the set headers with their spelling. For HTTP/1. */
export function copyHeaders(from: NodeResponse, to: ServerResponse): void {
  for (const name of from.getRawHeaderNames()) to.setHeader(name, from.getHeader(name)!);
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
  /** The names of the pairs, in lower case: most headers that are asked for are absent, and found so without a walk through the pairs. */
  #names: string[] = [];
  #changed = false;
  /** When no headers are set, Node sends the given ones unchanged, and accepts forms that it refuses otherwise. */
  readonly #isSentAsGiven: boolean;

  /** @param writeHead the method that will get the headers, if `call`, the first of the response, gives any */
  constructor(
    private readonly response: ServerResponse,
    private readonly call: Call,
    writeHead: unknown,
  ) {
    this.#pairs = call.name === 'writeHead' ? toPairs(givenHeaders(call)) : null;
    if (this.#pairs !== null) for (const [name] of this.#pairs) this.#names.push(String(name).toLowerCase());
    this.#isSentAsGiven =
      this.#pairs !== null && isNodeWriteHead(writeHead) && response.getHeaderNames().length === 0;
  }

  /** In lower case. */
  names(): string[] {
    return this.#isSentAsGiven ? this.#names : [...this.response.getHeaderNames(), ...this.#names];
  }

  get(name: string): string[] {
    const lower = name.toLowerCase();
    if (this.#names.includes(lower)) {
      const given = this.#pairs!.flatMap(([, value], i) => (this.#names[i] === lower ? (value ?? []) : []));
      if (given.length > 0) return given.map(String);
    }
    const value = this.response.getHeader(name);
    if (value === undefined) return [];
    return Array.isArray(value) ? value.map(String) : [String(value)];
  }

  set(name: string, values: string[]): void {
    const value = values.length === 1 && name !== 'Set-Cookie' ? values[0]! : values;
    if (!this.#isSentAsGiven) this.response.setHeader(name, value);
    const lower = name.toLowerCase();
    const at = this.#names.indexOf(lower);
    if (at < 0 && !this.#isSentAsGiven) return;
    this.#changed = true;
    const pairs = this.#pairs!;
    if (at < 0) {
      pairs.push([name, value]);
      this.#names.push(lower);
      return;
    }
    pairs[at]![1] = value;
    const isKept = (_: unknown, i: number): boolean => i <= at || this.#names[i] !== lower;
    this.#pairs = pairs.filter(isKept);
    this.#names = this.#names.filter(isKept);
  }

  /** Returns the arguments of the call, with the changed headers in the form in which they were given. */
  toArguments(): unknown[] {
    const { args } = this.call;
    if (!this.#changed) return args;
    const pairs = this.#pairs!;
    const given = givenHeaders(this.call);
    const isFlat = Array.isArray(given) && !Array.isArray(given[0]);
    const headers = isFlat ? pairs.flat(1) : Array.isArray(given) ? pairs : toObject(pairs);
    return args.with(headersIndex(args), headers);
  }
}

/** Returns the headers of a call `writeHead(status, reason?, headers?)`. */
export function givenHeaders({ args }: Call): GivenHeaders | undefined {
  return (args[headersIndex(args)] ?? undefined) as GivenHeaders | undefined;
}

/** Node reads headers from the second argument when it is not a string and there is no third. */
function headersIndex(args: unknown[]): number {
  return typeof args[1] === 'string' || (args[2] ?? null) !== null ? 2 : 1;
}

function toPairs(given: GivenHeaders | undefined): Pair[] | null {
  if (given === undefined) return null;
  if (!Array.isArray(given)) return Object.entries(given) as Pair[];
  if (Array.isArray(given[0])) return given.map((pair: Pair) => [...pair]);
  if (given.length % 2 === 1) return null;
  return Array.from({ length: given.length / 2 }, (_, i) => [given[2 * i], given[2 * i + 1]] as Pair);
}

/** `Object.fromEntries` takes twice as long. */
function toObject(pairs: readonly Pair[]): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  for (const [name, value] of pairs) setOwn(headers, name, value);
  return headers;
}
