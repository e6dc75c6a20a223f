import { ServerResponse } from 'node:http';
import type { TellFailure } from '../requests/session-scope';
import { failureOf } from './session.exceptions';
import { copyHeaders, givenHeaders, headOf, isHttp1, isNodeWriteHead } from './node-response';
import { OutgoingHeaders, type Call, type Head, type NodeResponse, type Originals } from './node-response';

/** Property of a response with the object that holds it, or `null` after its release. */
const HELD_BY = Symbol('nestjs-tessera.holder');

type Held = NodeResponse & { [HELD_BY]?: HeldResponse | null };

/** Headers that a failure keeps: those that let pages of other origins read it, and `Vary` for caches. */
const KEPT_HEADERS = /^(vary$|access-control-|timing-allow-origin$|cross-origin-)/i;

const JSON_TYPE = 'application/json; charset=utf-8';

/** Sent only when other code calls Node's own methods directly. The connection is then closed. */
const HELD_HEADER = 'HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n';

/**
 * Holds a response until the commit. To the application the response looks sent: its headers cannot change, invalid calls throw, and
 * `write` reports backpressure. Its calls are recorded and replayed later. A second `ServerResponse` without a socket, the stand-in,
 * validates each call as Node would.
 */
export class HeldResponse {
  readonly #calls: Call[] = [];
  /** The status before the application's first call: it is the one that is sent. */
  readonly #head: Head;
  readonly #standIn: NodeResponse;
  #bytes = 0;
  #isFull = false;
  #state: 'holding' | 'answering' | 'failed' = 'holding';

  /**
   * Properties of a held response that replace Node's. Shared by all responses, as the gate's wrappers are. They stay after the release
   * and then return Node's values, because deleting a property makes an object slow.
   */
  static readonly #heldProperties: PropertyDescriptorMap = {
    writableEnded: whenHeld('writableEnded', (held) => held.#standIn.writableEnded),
    writableNeedDrain: whenHeld('writableNeedDrain', (held) => held.#isFull && !held.#standIn.writableEnded),
    writableLength: whenHeld('writableLength', (held) => held.#bytes),
  };

  constructor(
    private readonly response: Held,
    private readonly originals: Originals,
  ) {
    this.#head = headOf(response);
    this.#standIn = new ServerResponse(response.req) as NodeResponse;
    this.#standIn.strictContentLength = response.strictContentLength;
    // Ignored: the response itself will report a write after the end.
    this.#standIn.on('error', () => {});
  }

  /** Records a call of the application. Returns and throws what Node would return and throw. */
  hold(call: Call): unknown {
    const { name, args } = call;
    if (this.#state === 'answering') return this.originals[name].apply(this.response, args);
    if (this.#state === 'failed') return this.#discard(call);
    if (this.#calls.length === 0) {
      this.#calls.push({ name, args: this.#begin(call) });
      this.#makeLookSent();
    } else {
      if (name === 'writeHead' && !isHttp1(this.response)) refuseHeader();
      this.#validate(name, args);
      this.#calls.push(call);
    }
    return name === 'write' ? this.#count(args) : name === 'flushHeaders' ? undefined : this.response;
  }

  /**
   * Replays the recorded calls, the first one with the headers that `prepare` adds.
   * @throws the error of a call that the stand-in accepted and the response refuses
   */
  replay(prepare: (call: Call) => unknown[]): void {
    const shown = headOf(this.response);
    this.#restore();
    let accepted: unknown = true;
    for (const [index, call] of this.#calls.entries()) {
      const args = index === 0 ? prepare(call) : call.args;
      const result = this.originals[call.name].apply(this.response, args);
      if (call.name === 'write') accepted = result;
    }
    // A status set later is not sent, but loggers read it.
    if (isHttp1(this.response)) Object.assign(this.response, shown);
    // If the last write reported backpressure, Node itself emits 'drain'.
    if (accepted === true) this.#drain();
  }

  /**
   * Sends a failure instead of the application's response, since its session was not saved.
   * @param tell says it in another way than Nest
   */
  replaceByFailure(
    error: unknown,
    tell: TellFailure | null,
    addHeaders: (headers: OutgoingHeaders) => void,
  ): void {
    const { response } = this;
    this.#restore();
    this.#state = 'answering';
    if (response.headersSent) throw error;
    const failure = failureOf(error, tell !== null);
    const contentType = tell === null ? JSON_TYPE : this.#contentType();
    const told = tell?.(failure, contentType) ?? { statusCode: failure.statusCode, body: failure };
    const body = JSON.stringify(told.body);
    this.#removeHeaders();
    response.statusCode = told.statusCode;
    response.setHeader('Content-Type', contentType);
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.setHeader('Cache-Control', 'no-store');
    if (isHttp1(response)) {
      response.statusMessage = '';
      // The rest of the request body may be unread.
      response.setHeader('Connection', 'close');
    }
    addHeaders(new OutgoingHeaders(response, { name: 'end', args: [body] }, this.originals.writeHead));
    this.originals.end.call(response, body);
    this.#state = 'failed';
    for (const call of this.#calls.splice(0)) this.#discard(call);
    this.#drain();
  }

  /** Copies status and headers to the stand-in. Returns the arguments to record. */
  #begin(call: Call): unknown[] {
    const { response } = this;
    const { name, args } = call;
    Object.assign(this.#standIn, this.#head);
    // HTTP/2 has other rules for headers; the other calls behave the same.
    if (!isHttp1(response)) {
      this.#validate(name, name === 'writeHead' ? [args[0]] : args);
      return args;
    }
    const names = response.getHeaderNames();
    copyHeaders(response, this.#standIn);
    const given = name === 'writeHead' ? givenHeaders(call) : undefined;
    const reachesNode = isNodeWriteHead(this.originals.writeHead);
    const merges = names.length > 0 && given !== undefined && reachesNode;
    try {
      // Code that wraps writeHead may accept arrays of headers that Node refuses.
      this.#validate(name, Array.isArray(given) && !reachesNode ? [args[0]] : args);
    } finally {
      // Node merges the given headers into the set ones before it validates anything.
      if (merges) {
        for (const each of names) response.removeHeader(each);
        copyHeaders(this.#standIn, response);
      }
    }
    return merges ? [this.#standIn.statusCode, this.#standIn.statusMessage] : args;
  }

  /** Makes the call on the stand-in, so that an invalid call throws now, in the caller, and not at the replay. */
  #validate(name: Call['name'], args: unknown[]): void {
    const withoutCallbacks = args.filter((arg) => typeof arg !== 'function');
    (this.#standIn[name] as (...given: unknown[]) => unknown).apply(this.#standIn, withoutCallbacks);
  }

  /** Counts the body only, like compression, which must report backpressure whenever this does: only it can then emit 'drain'. */
  #count([chunk, encoding]: unknown[]): boolean {
    if (this.#standIn.writableEnded) return false;
    if (!this.#standIn._hasBody) return true;
    this.#bytes +=
      typeof chunk === 'string'
        ? Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
        : (chunk as Uint8Array).byteLength;
    this.#isFull ||= this.#bytes >= this.response.writableHighWaterMark;
    return !this.#isFull;
  }

  #headers(): OutgoingHeaders {
    return new OutgoingHeaders(this.response, this.#calls[0]!, this.originals.writeHead);
  }

  #contentType(): string {
    const type = this.#headers().get('Content-Type')[0] ?? '';
    return type.includes('json') ? type : JSON_TYPE;
  }

  #removeHeaders(): void {
    const headers = this.#headers();
    const kept = headers.names().filter((name) => KEPT_HEADERS.test(name));
    const values = kept.map((name) => headers.get(name));
    for (const name of this.response.getHeaderNames()) this.response.removeHeader(name);
    kept.forEach((name, i) => this.response.setHeader(name, values[i]!));
  }

  /** Completes a call without sending anything. */
  #discard({ name, args }: Call): unknown {
    const callback = args.findLast((arg) => typeof arg === 'function') as (() => void) | undefined;
    if (callback !== undefined) process.nextTick(callback);
    return name === 'write' ? true : name === 'flushHeaders' ? undefined : this.response;
  }

  /** Emits 'drain' after backpressure, in another tick, so that an error of a listener does not affect this call. */
  #drain(): void {
    if (this.#isFull && !this.#standIn.writableEnded)
      process.nextTick(() => void this.response.emit('drain'));
  }

  /** For HTTP/1 a value of `_header` suffices. `finished` must stay: a pipelined response would finish once it gets its socket. */
  #makeLookSent(): void {
    const { response } = this;
    response.statusCode = this.#standIn.statusCode;
    if (isHttp1(response)) {
      response.statusMessage = this.#standIn.statusMessage;
      response._header = HELD_HEADER;
    } else {
      Object.defineProperties(response, HTTP2_SENT);
    }
    response[HELD_BY] = this;
    Object.defineProperties(response, HeldResponse.#heldProperties);
  }

  #restore(): void {
    const { response } = this;
    if (response[HELD_BY] !== this) return;
    response[HELD_BY] = null;
    if (isHttp1(response)) {
      // Other code has sent HELD_HEADER, so the connection is unusable.
      if (response._headerSent) response.destroy();
      else response._header = null;
    } else {
      for (const name of Object.keys(HTTP2_SENT))
        delete (response as unknown as Record<string, unknown>)[name];
    }
    Object.assign(response, this.#head);
  }
}

/** Makes the headers of an HTTP/2 response look sent. Deleted at the release, because other code may assign these properties. */
const HTTP2_SENT: PropertyDescriptorMap = {
  headersSent: { get: () => true, configurable: true },
  setHeader: { get: () => refuseHeader, configurable: true },
  appendHeader: { get: () => refuseHeader, configurable: true },
  removeHeader: { get: () => refuseHeader, configurable: true },
};

function whenHeld(name: string, whileHeld: (held: HeldResponse) => unknown): PropertyDescriptor {
  return {
    get(this: Held): unknown {
      const held = this[HELD_BY];
      return held ? whileHeld(held) : Reflect.get(Object.getPrototypeOf(this) as object, name, this);
    },
    configurable: true,
  };
}

function refuseHeader(): never {
  throw Object.assign(new Error('Response has already been initiated.'), { code: 'ERR_HTTP2_HEADERS_SENT' });
}
