import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ResponseHeaders } from '../transports/session-transport';

/** Headers as `writeHead` takes them: by name, flat, or in pairs. */
type GivenHeaders = OutgoingHttpHeaders | readonly unknown[];
type Pair = [name: string, value: string | string[]];

/**
 * The headers of a response about to be sent: those set on it, overridden by those given to `writeHead`. What is changed
 * is changed where Node will take it from; the rest keeps its form, order and spelling.
 */
export class OutgoingHeaders implements ResponseHeaders {
  #pairs: Pair[] | undefined;
  #changed = false;

  /** @param reachesNode whether what is given comes to Node as it is, and nobody has wrapped `writeHead` who reads it differently */
  constructor(
    private readonly response: ServerResponse,
    private readonly given: GivenHeaders | undefined,
    private readonly reachesNode = true,
  ) {
    // Half a header is for Node to refuse.
    if (Array.isArray(given))
      this.#pairs = Array.isArray(given[0]) || given.length % 2 === 0 ? toPairs(given) : undefined;
    else if (given !== undefined) this.#pairs = Object.entries(given as Record<string, string | string[]>);
  }

  names(): string[] {
    return [...this.response.getHeaderNames(), ...(this.#pairs?.map(([name]) => name) ?? [])];
  }

  get(name: string): string[] {
    const pairs = this.#find(name);
    const values = pairs.length > 0 ? pairs.map(([, value]) => value) : [this.response.getHeader(name)];
    return values
      .flat()
      .filter((value) => value !== undefined)
      .map(String);
  }

  set(name: string, values: string[]): void {
    const single = values.length === 1 && name !== 'Set-Cookie' ? values[0]! : values;
    const [first, ...more] = this.#find(name);
    if (first !== undefined) {
      this.#changed = true;
      this.#pairs = this.#pairs!.filter((pair) => !more.includes(pair)).map((pair) =>
        pair === first ? [pair[0], single] : pair,
      );
    }
    if (this.#pairs === undefined || !this.#areSentAsGiven()) this.response.setHeader(name, single);
    else if (first === undefined) {
      this.#changed = true;
      this.#pairs.push([name, single]);
    }
  }

  /** What to give to `writeHead` in place of what was given. */
  toGiven(): GivenHeaders | undefined {
    if (!this.#changed || this.#pairs === undefined) return this.given;
    if (!Array.isArray(this.given)) return Object.fromEntries(this.#pairs);
    return Array.isArray(this.given[0]) ? this.#pairs : this.#pairs.flat(1);
  }

  /** Where none are set, Node sends the given ones as they are, and takes forms that it refuses otherwise. */
  #areSentAsGiven(): boolean {
    return this.reachesNode && this.response.getHeaderNames().length === 0;
  }

  #find(name: string): Pair[] {
    const lower = name.toLowerCase();
    return this.#pairs?.filter(([key]) => String(key).toLowerCase() === lower) ?? [];
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

function toPairs(given: readonly unknown[]): Pair[] {
  if (Array.isArray(given[0])) return [...given] as Pair[];
  return Array.from({ length: given.length / 2 }, (_, i) => [given[2 * i], given[2 * i + 1]] as Pair);
}
