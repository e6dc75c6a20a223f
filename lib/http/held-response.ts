import { ServerResponse } from 'node:http';
import { failureOf } from './session.exceptions';
import {
  givenHeaders,
  headOf,
  internals,
  isHttp1,
  isNodes,
  OutgoingHeaders,
  rawHeaderNames,
  type GatedMethod,
  type Head,
  type Originals,
} from './node-response';
import type { ResponseHeaders } from '../transports/session-transport';

interface Call {
  readonly name: GatedMethod;
  readonly args: unknown[];
}

/** Where a response keeps who holds it. */
const HOLDER = Symbol('nestjs-tessera.holder');

type Held = ServerResponse & { [HOLDER]: HeldResponse | null };

/** Goes out only when somebody has got hold of Node's own methods, in which case the connection ends as it says. */
const HELD_HEADER = 'HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n';

/**
 * A response that has begun as far as the application can tell, while its first byte still waits for the commit. What the application
 * does to it meanwhile is kept in order, and behaves as it would on the wire: headers are fixed, errors are thrown, the writer is
 * told to slow down. A response of Node's own without a socket stands in for it and knows how that is.
 */
export class HeldResponse {
  readonly #calls: Call[] = [];
  /** As the application left it before its first call: what is sent. */
  readonly #head: Head;
  readonly #standIn: ServerResponse;
  #bytes = 0;
  #refused = false;
  #disguised = false;
  #state: 'holding' | 'answering' | 'failed' = 'holding';

  /**
   * What a held response answers in Node's place. One set for all that stays with them, and answers what Node does once they are let go:
   * V8 keeps functions made for each response until the next major collection, and taking properties away makes a response slow.
   */
  static readonly #shadows: PropertyDescriptorMap = {
    writableEnded: shadow('writableEnded', (held) => held.#standIn.writableEnded),
    writableNeedDrain: shadow('writableNeedDrain', (held) => held.#refused && !held.#standIn.writableEnded),
    writableLength: shadow('writableLength', (held) => held.#bytes),
  };

  constructor(
    private readonly response: ServerResponse,
    private readonly originals: Originals,
  ) {
    this.#head = headOf(response);
    this.#standIn = new ServerResponse(response.req);
    this.#standIn.strictContentLength = response.strictContentLength;
    // It reports a write after the end; so will the response itself.
    this.#standIn.on('error', () => {});
  }

  /** What the application called, kept for later; answers what Node would answer, and throws what Node would throw. */
  take(name: GatedMethod, args: unknown[]): unknown {
    if (this.#state === 'answering') return this.originals[name].apply(this.response, args);
    if (this.#state === 'failed') return this.#swallow(name, args);
    const isFirst = this.#calls.length === 0;
    if (!isFirst && name === 'writeHead' && !isHttp1(this.response)) refuseHeader();
    if (!isFirst) this.#rehearse(name, args);
    this.#calls.push({ name, args: isFirst ? this.#begin(name, args) : args });
    if (isFirst) this.#disguise();
    return this.#answer(name, args);
  }

  /**
   * Lets everything out, the first call with the headers that the commit added.
   * @throws what the response throws when the application took a turn that could not be foreseen
   */
  replay(prepare: (name: GatedMethod, args: unknown[]) => unknown[]): void {
    const shown = headOf(this.response);
    this.#undisguise();
    let accepted: unknown = true;
    for (const [index, { name, args }] of this.#calls.entries()) {
      const result = this.originals[name].apply(this.response, index === 0 ? prepare(name, args) : args);
      if (name === 'write') accepted = result;
    }
    // A status set too late is not sent, but logs read it.
    if (isHttp1(this.response)) Object.assign(this.response, shown);
    // If the last write was refused once more, Node itself says when to go on.
    if (accepted === true) this.#drain();
  }

  /** Answers for the application: what it had to say rests on a session that was not saved. */
  replaceByFailure(error: unknown, addHeaders: (headers: ResponseHeaders) => void): void {
    const { response } = this;
    this.#undisguise();
    this.#state = 'answering';
    if (response.headersSent) throw error;
    const failure = failureOf(error);
    const body = JSON.stringify(failure);
    this.#keepHeaders();
    response.statusCode = failure.statusCode;
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.setHeader('Cache-Control', 'no-store');
    if (isHttp1(response)) {
      response.statusMessage = '';
      // The rest of the request may never be read.
      response.setHeader('Connection', 'close');
    }
    addHeaders(new OutgoingHeaders(response, undefined));
    this.originals.end.call(response, body);
    this.#state = 'failed';
    for (const { name, args } of this.#calls.splice(0)) this.#swallow(name, args);
    this.#drain();
  }

  /** Hands the stand-in what was set so far; answers the call to keep. */
  #begin(name: GatedMethod, args: unknown[]): unknown[] {
    const { response } = this;
    Object.assign(this.#standIn, this.#head);
    // HTTP/2 has rules of its own for headers; the rest is alike.
    if (!isHttp1(response)) {
      this.#rehearse(name, name === 'writeHead' ? [args[0]] : args);
      return args;
    }
    const names = rawHeaderNames(response);
    for (const each of names) this.#standIn.setHeader(each, response.getHeader(each)!);
    const given = name === 'writeHead' ? givenHeaders(args) : undefined;
    const reachesNode = isNodes(this.originals.writeHead);
    const merges = names.length > 0 && given !== undefined && reachesNode;
    try {
      // Whoever has wrapped writeHead may take lists of headers that Node would not.
      this.#rehearse(name, Array.isArray(given) && !reachesNode ? [args[0]] : args);
    } finally {
      // Node merges the given headers into those set before it looks at anything else.
      if (merges) {
        for (const each of names) response.removeHeader(each);
        for (const each of rawHeaderNames(this.#standIn))
          response.setHeader(each, this.#standIn.getHeader(each)!);
      }
    }
    return merges ? [this.#standIn.statusCode, this.#standIn.statusMessage] : args;
  }

  /** What Node would refuse it refuses now, where the caller sees it, and not when the response is let out. */
  #rehearse(name: GatedMethod, args: unknown[]): void {
    const silent = args.filter((arg) => typeof arg !== 'function');
    (this.#standIn[name] as (...given: unknown[]) => unknown).apply(this.#standIn, silent);
  }

  #answer(name: GatedMethod, args: unknown[]): unknown {
    switch (name) {
      case 'write':
        if (this.#standIn.writableEnded) return false;
        if (!internals(this.#standIn)._hasBody) return true;
        this.#count(args);
        this.#refused ||= this.#bytes >= this.response.writableHighWaterMark;
        return !this.#refused;
      case 'end':
      case 'writeHead':
        return this.response;
      case 'flushHeaders':
        return undefined;
    }
  }

  /** The body alone: compression refuses by that, and must refuse whatever was refused here, for it alone can say when to go on. */
  #count([chunk, encoding]: unknown[]): void {
    this.#bytes +=
      typeof chunk === 'string'
        ? Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
        : (chunk as Uint8Array).byteLength;
  }

  /** A page of another origin must be able to read the failure, and caches to tell it apart. */
  #keepHeaders(): void {
    const { name, args } = this.#calls[0]!;
    const given = name === 'writeHead' ? givenHeaders(args) : undefined;
    const headers = new OutgoingHeaders(this.response, given);
    const kept = headers
      .names()
      .filter((each) => /^(vary$|access-control-|timing-allow-origin$|cross-origin-)/i.test(each))
      .map((each) => [each, headers.get(each)] as const);
    for (const each of this.response.getHeaderNames()) this.response.removeHeader(each);
    for (const [each, values] of kept) this.response.setHeader(each, values);
  }

  #swallow(name: GatedMethod, args: unknown[]): unknown {
    const callback = args.findLast((arg) => typeof arg === 'function') as (() => void) | undefined;
    if (callback !== undefined) process.nextTick(callback);
    return name === 'write' ? true : name === 'flushHeaders' ? undefined : this.response;
  }

  /** Tells a writer who was refused to go on, outside this call: what a listener throws is its own affair. */
  #drain(): void {
    if (this.#refused && !this.#standIn.writableEnded)
      process.nextTick(() => void this.response.emit('drain'));
  }

  /**
   * Headers look sent. A header text makes HTTP/1 responses behave so by themselves; `finished` must not be touched, or a
   * pipelined response would finish when its turn on the socket comes.
   */
  #disguise(): void {
    const { response } = this;
    this.#disguised = true;
    response.statusCode = this.#standIn.statusCode;
    if (isHttp1(response)) {
      response.statusMessage = this.#standIn.statusMessage;
      internals(response)._header = HELD_HEADER;
    } else {
      Object.defineProperties(response, HTTP2_SENT);
    }
    (response as Held)[HOLDER] = this;
    Object.defineProperties(response, HeldResponse.#shadows);
  }

  #undisguise(): void {
    const { response } = this;
    if (!this.#disguised) return;
    this.#disguised = false;
    (response as Held)[HOLDER] = null;
    if (isHttp1(response)) {
      // Somebody wrote past the response's own methods: the connection is of no use any more.
      if (internals(response)._headerSent) response.destroy();
      else internals(response)._header = null;
    } else {
      for (const name of Object.keys(HTTP2_SENT))
        delete (response as unknown as Record<string, unknown>)[name];
    }
    Object.assign(response, this.#head);
  }
}

/** What HTTP/2's responses look like once their headers are sent; HTTP/1's do by themselves. Taken away again, for others may assign these. */
const HTTP2_SENT: PropertyDescriptorMap = {
  headersSent: { get: () => true, configurable: true },
  setHeader: { get: () => refuseHeader, configurable: true },
  appendHeader: { get: () => refuseHeader, configurable: true },
  removeHeader: { get: () => refuseHeader, configurable: true },
};

function shadow(name: string, whileHeld: (held: HeldResponse) => unknown): PropertyDescriptor {
  return {
    get(this: Held): unknown {
      const held = this[HOLDER];
      return held === null ? Reflect.get(Object.getPrototypeOf(this) as object, name, this) : whileHeld(held);
    },
    configurable: true,
  };
}

function refuseHeader(): never {
  throw Object.assign(new Error('Response has already been initiated.'), { code: 'ERR_HTTP2_HEADERS_SENT' });
}
