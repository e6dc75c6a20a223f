import { ServerResponse } from 'node:http';
import { types } from 'node:util';
import { failureOf } from './commit-failure';
import { givenHeaders, OutgoingHeaders } from './response-headers';
import type { GatedMethod, Originals } from './session-gate';

interface Call {
  readonly name: GatedMethod;
  readonly args: unknown[];
}

type Shadow = Record<string, unknown>;

/**
 * A response that has begun as far as the application can tell, while its first byte still waits for the commit. What the application
 * does to it meanwhile is kept in order, and behaves as it would on the wire: headers are fixed, errors are thrown, the writer is
 * told to slow down.
 */
export class HeldResponse {
  readonly #calls: Call[] = [];
  readonly #status: readonly [code: number, message: string];
  #bytes = 0;
  #refused = false;
  #ended = false;
  #state: 'holding' | 'answering' | 'failed' = 'holding';
  #rehearsal: ServerResponse | undefined;

  constructor(
    private readonly response: ServerResponse,
    private readonly originals: Originals,
  ) {
    this.#status = [response.statusCode, response.statusMessage];
  }

  /** What the application called, kept for later; answers what Node would answer. */
  take(name: GatedMethod, args: unknown[]): unknown {
    if (this.#state === 'answering') return this.originals[name].apply(this.response, args);
    if (this.#state === 'failed') return this.#swallow(name, args);
    this.#rehearse(name, args);
    if (this.#calls.length === 0) this.#disguise();
    this.#calls.push({ name, args });
    return this.#answer(name, args);
  }

  /** Lets everything out, the first call with the headers that the commit added. */
  replay(prepare: (name: GatedMethod, args: unknown[]) => unknown[]): void {
    this.#undisguise();
    try {
      let accepted: unknown = true;
      for (const [index, { name, args }] of this.#calls.entries()) {
        const result = this.originals[name].apply(this.response, index === 0 ? prepare(name, args) : args);
        if (name === 'write') accepted = result;
      }
      // If the last write was refused once more, Node itself says when to go on.
      if (this.#refused && accepted === true && !this.#ended) this.response.emit('drain');
    } catch (error) {
      this.response.destroy(error as Error);
    }
  }

  /** Answers for the application: what it had to say rests on a session that was not saved. */
  replaceByFailure(error: unknown): void {
    this.#undisguise();
    this.#state = 'answering';
    const { status, body } = failureOf(error);
    this.#keepHeaders();
    this.response.statusCode = status;
    this.response.statusMessage = '';
    this.response.setHeader('Content-Type', 'application/json; charset=utf-8');
    this.response.setHeader('Content-Length', Buffer.byteLength(body));
    this.response.setHeader('Cache-Control', 'no-store');
    // The rest of the request may never be read.
    if (isHttp1(this.response)) this.response.setHeader('Connection', 'close');
    this.originals.end.call(this.response, body);
    this.#state = 'failed';
    for (const { name, args } of this.#calls.splice(0)) this.#swallow(name, args);
    if (this.#refused && !this.#ended) this.response.emit('drain');
  }

  /** A page of another origin must be able to read the failure, and caches to tell it apart. */
  #keepHeaders(): void {
    const first = this.#calls[0];
    const headers = new OutgoingHeaders(
      this.response,
      first?.name === 'writeHead' ? givenHeaders(first.args) : undefined,
    );
    const kept = headers
      .names()
      .filter((name) => /^(vary$|access-control-|timing-allow-origin$|cross-origin-)/i.test(name));
    const values = kept.map((name) => [name, headers.get(name)] as const);
    for (const name of this.response.getHeaderNames()) this.response.removeHeader(name);
    for (const [name, value] of values) this.response.setHeader(name, value);
  }

  #answer(name: GatedMethod, args: unknown[]): unknown {
    switch (name) {
      case 'write':
        if (this.#ended) return false;
        this.#count(args);
        this.#refused ||= this.#bytes >= this.response.writableHighWaterMark;
        return !this.#refused;
      case 'end':
        this.#ended = true;
        return this.response;
      case 'writeHead':
        return this.response;
      case 'flushHeaders':
        return undefined;
    }
  }

  #count([chunk, encoding]: unknown[]): void {
    if (typeof chunk === 'string')
      this.#bytes += Buffer.byteLength(
        chunk,
        typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8',
      );
    else this.#bytes += (chunk as Uint8Array).byteLength;
  }

  #swallow(name: GatedMethod, args: unknown[]): unknown {
    const callback = args.findLast((arg) => typeof arg === 'function') as (() => void) | undefined;
    if (callback !== undefined) process.nextTick(callback);
    return name === 'write' ? true : name === 'flushHeaders' ? undefined : this.response;
  }

  /** What Node would refuse it refuses now, where the caller sees it, and not when the response is let out. */
  #rehearse(name: GatedMethod, args: unknown[]): void {
    if (!isHttp1(this.response)) return;
    const isFirst = this.#calls.length === 0;
    this.#rehearsal ??= new ServerResponse(this.response.req);
    const [first] = args;
    if (isFirst && name !== 'writeHead') this.#rehearsal.writeHead(...this.#status);
    if (name === 'writeHead') (this.#rehearsal.writeHead as (...given: unknown[]) => void)(...args);
    const isBody = typeof first === 'string' || types.isUint8Array(first);
    if (name === 'write' && !isBody) this.#rehearsal.write(first);
    if (name === 'end' && !isBody && first !== null && first !== undefined && typeof first !== 'function')
      this.#rehearsal.end(first);
  }

  /**
   * Headers look sent. A header text makes HTTP/1 responses behave so by themselves; `finished` must not be touched, or a
   * pipelined response would finish when its turn on the socket comes.
   */
  #disguise(): void {
    const { response } = this;
    const shadow = (name: string, get: () => unknown): void =>
      void Object.defineProperty(response, name, { get, configurable: true });
    if (isHttp1(response)) (response as unknown as Shadow)['_header'] = 'held until the session is committed';
    else {
      shadow('headersSent', () => true);
      for (const name of ['setHeader', 'appendHeader', 'removeHeader']) shadow(name, () => refuseHeader);
    }
    shadow('writableEnded', () => this.#ended);
    shadow('writableNeedDrain', () => this.#refused && !this.#ended);
    shadow('writableLength', () => this.#bytes);
  }

  #undisguise(): void {
    const response = this.response as unknown as Shadow;
    if (isHttp1(this.response)) response['_header'] = null;
    for (const name of [
      'headersSent',
      'setHeader',
      'appendHeader',
      'removeHeader',
      'writableEnded',
      'writableNeedDrain',
      'writableLength',
    ]) {
      delete response[name];
    }
    [this.response.statusCode, this.response.statusMessage] = this.#status;
  }
}

/** HTTP/2's compatibility response has a `_header` too, but as a getter. */
function isHttp1(response: ServerResponse): boolean {
  return Object.hasOwn(response, '_header');
}

function refuseHeader(): never {
  throw Object.assign(new Error('Cannot set headers after they are sent to the client'), {
    code: 'ERR_HTTP_HEADERS_SENT',
  });
}
