import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What code that answers can observe of its own response. */
export class Witness {
  /** What calls returned, threw and left behind, in order. */
  readonly seen: unknown[] = [];
  /** The callbacks and events, in order. */
  readonly heard: string[] = [];

  saw(...things: unknown[]): void {
    this.seen.push(...things);
  }

  /** A callback that notes its turn and the code of what it was given. */
  hears(what: string): (error?: unknown) => void {
    return (error) => void this.heard.push(error == null ? what : `${what} ${codeOf(error)}`);
  }

  /** Notes what a call threw. */
  tries(call: () => unknown): void {
    try {
      call();
      this.saw('nothing thrown');
    } catch (error) {
      this.saw(codeOf(error));
    }
  }

  /** Notes how the response looks from outside. */
  looksAt(response: ServerResponse): void {
    const { headersSent, writableEnded, statusCode, statusMessage } = response;
    this.saw({ headersSent, writableEnded, statusCode, statusMessage });
  }
}

/** One way to answer on Node's own response, the same on both platforms. */
export type Answering = (response: ServerResponse, witness: Witness, request: IncomingMessage) => unknown;

type WriteHead = (status: number, ...rest: unknown[]) => ServerResponse;

/** `writeHead` with what its types do not know of. */
function writeHead(response: ServerResponse, ...args: Parameters<WriteHead>): ServerResponse {
  return (response.writeHead as WriteHead)(...args);
}

const kilobyte = Buffer.alloc(1024, 'abcdefghijklmnop');
const text = 'All the world is a stage. '.repeat(200);

function* chunks(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield kilobyte;
}

function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
}

/** Waits for the next turn of the event loop: the socket may have taken something in between. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Ways that Node has no answer to HEAD for: it throws, or never drains what it does not send. */
export const notForHead: ReadonlySet<string> = new Set([
  'trailers',
  'writes refused at the first large chunk',
]);

/** What compression itself stumbles over, each time in a way of its own. */
export const notForCompression: ReadonlySet<string> = new Set([
  'end with a callback only',
  'writeHead with half a header',
  'chunks that are none',
]);

/** The ways to answer; a title each. */
export const answers: Record<string, Answering> = {
  'end with text': (response) => response.end('hello'),
  'end with nothing': (response) => response.end(),
  'end with a long text': (response) => response.setHeader('Content-Type', 'text/plain').end(text),
  'end with a long buffer': (response) =>
    response.setHeader('Content-Type', 'text/plain').end(Buffer.from(text)),
  'end with a callback only': (response, witness) => response.end(witness.hears('ended')),
  'end with text and callback': (response, witness) => response.end('hello', witness.hears('ended')),
  'end with text, encoding and callback': (response, witness) =>
    response.end('aGVsbG8=', 'base64', witness.hears('ended')),
  'end with nothing and callback': (response, witness) => response.end(null, 'utf8', witness.hears('ended')),
  'write in several encodings': (response) => {
    response.write('caf\u00e9', 'latin1');
    response.write('aGVsbG8=', 'base64');
    response.write('caf\u00e9 \u{1f36a}');
    response.write(new Uint8Array([1, 2, 3]));
    response.write('00ff', 'hex');
    response.end('caf\u00e9', 'utf16le');
  },
  'write nothing': (response, witness) => {
    witness.saw(response.write(''), response.write('', witness.hears('written')));
    response.end('');
  },
  'write with callbacks': (response, witness) => {
    for (const event of ['prefinish', 'finish', 'close']) response.on(event, witness.hears(event));
    witness.saw(response.write('one', witness.hears('one')));
    witness.saw(response.write('two', 'utf8', witness.hears('two')));
    witness.saw(response.end('three', witness.hears('three')) === response);
  },
  'write, waiting for each callback': async (response) => {
    for (const chunk of chunks(20)) await new Promise((resolve) => response.write(chunk, resolve));
    response.end();
  },
  'writeHead and end in a chain': (response, witness) => {
    const chained = response.writeHead(201, { 'X-One': '1', 'x-two': 'zwei' });
    witness.saw(chained === response);
    chained.end('created');
  },
  'writeHead with a reason': (response) => response.writeHead(202, 'Sure Thing').end('ok'),
  'writeHead with a reason and headers': (response) =>
    response.writeHead(202, 'Sure Thing', { 'X-Mixed-CASE': 'kept', 'content-type': 'text/plain' }).end('ok'),
  'writeHead with an undefined reason': (response) =>
    writeHead(response, 203, undefined, { 'X-After': 'undefined' }).end('ok'),
  'writeHead with flat headers': (response) =>
    writeHead(response, 200, ['X-One', '1', 'X-Two', '2', 'x-one', 'once more']).end('flat'),
  'writeHead with flat headers and a reason': (response) =>
    writeHead(response, 200, 'Flat', ['Content-Type', 'text/plain', 'X-Two', '2']).end('flat'),
  'writeHead with headers in pairs': (response, witness) => {
    const pairs = [
      ['X-One', '1'],
      ['X-Two', '2'],
    ];
    witness.tries(() => writeHead(response, 200, pairs));
    response.end('pairs');
  },
  'writeHead with one pair': (response, witness) => {
    witness.tries(() => writeHead(response, 200, [['X-One', '1']]));
    response.end('pair');
  },
  'writeHead with half a header': (response, witness) => {
    witness.tries(() => writeHead(response, 200, ['X-One', '1', 'X-Two']));
    response.end('odd');
  },
  'writeHead over headers that are set': (response, witness) => {
    response.setHeader('X-One', 'set');
    response.setHeader('X-Two', 'set');
    response.writeHead(200, { 'x-one': 'given', 'X-Three': 'given' });
    witness.saw(response.getHeader('x-two'), response.hasHeader('X-Two'));
    response.end('ok');
  },
  'writeHead flat over headers that are set': (response) => {
    response.setHeader('X-One', 'set');
    response.setHeader('X-Two', 'set');
    writeHead(response, 200, ['x-one', 'given', 'X-Three', 'given', 'X-Three', 'again']).end('ok');
  },
  'writeHead with its own cache headers': (response) =>
    response
      .writeHead(200, { 'Cache-Control': 'private, max-age=5', Vary: 'Accept', 'X-Last': '1' })
      .end('x'),
  'writeHead flat with its own cache headers': (response) =>
    writeHead(response, 200, ['Vary', 'Accept', 'Cache-Control', 'private', 'X-Last', '1']).end('x'),
  'cookies of others': (response) => {
    response.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2']);
    response.appendHeader('Set-Cookie', 'c=3');
    response.end('cookies');
  },
  'cookies of others in writeHead': (response) =>
    response.writeHead(200, { 'X-A': 'a', 'Set-Cookie': ['a=1', 'b=2'], 'X-B': 'b' }).end('cookies'),
  'cookies of others in flat headers': (response) =>
    writeHead(response, 200, ['X-B', 'b', 'Set-Cookie', ['a=1', 'b=2']]).end('cookies'),
  'headers set in several ways': (response, witness) => {
    response.setHeaders(new Map([['X-From-Map', '1']]));
    response.appendHeader('X-Many', '1').appendHeader('x-many', '2');
    response.setHeader('X-Number', 7);
    response.removeHeader('x-from-map');
    witness.saw(response.getHeaderNames().includes('x-many'), response.getHeader('X-Many'));
    response.end('ok');
  },
  'writeHeader, the old name': (response) => {
    const { writeHeader } = response as unknown as { writeHeader?: WriteHead };
    if (writeHeader === undefined) response.writeHead(200, { 'X-Old': '1' });
    else writeHeader.call(response, 200, { 'X-Old': '1' });
    response.end('ok');
  },
  'early hints and processing first': async (response, witness) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' }, witness.hears('hinted'));
    response.writeProcessing();
    await turn();
    response.end('hinted');
  },
  trailers: (response) => {
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write('body');
    response.addTrailers({ 'X-Sum': '42' });
    response.end();
  },
  'flushHeaders, later a body': async (response, witness) => {
    response.setHeader('X-Early', '1');
    response.flushHeaders();
    witness.looksAt(response);
    await turn();
    response.end('late');
  },
  'flushHeaders twice and writeHead': (response, witness) => {
    response.flushHeaders();
    response.flushHeaders();
    witness.tries(() => response.writeHead(500));
    response.end('flushed');
  },
  'a loop that heeds back-pressure': async (response, witness) => {
    response.setHeader('Content-Type', 'application/octet-stream');
    let drained = 0;
    let refused = 0;
    let goOn = (): void => {};
    // One listener throughout: compression hangs it onto its own stream, from which once() would not take it away.
    response.on('drain', () => goOn());
    for (const chunk of chunks(600)) {
      if (response.write(chunk)) continue;
      refused++;
      await new Promise<void>((resolve) => (goOn = resolve));
      drained++;
    }
    response.end();
    witness.saw(refused > 0, refused === drained);
  },
  'a loop that heeds nothing': (response) => {
    response.setHeader('Content-Type', 'text/plain');
    for (const chunk of chunks(300)) response.write(chunk);
    response.end();
  },
  'writes refused at the first large chunk': async (response, witness) => {
    response.setHeader('Content-Type', 'application/octet-stream');
    const drained = once(response, 'drain');
    witness.saw(response.write(Buffer.alloc(256 * 1024, 'x')));
    await drained;
    witness.saw('drained', response.writableNeedDrain);
    response.end('.');
  },
  'a piped stream': (response) => {
    response.setHeader('Content-Type', 'application/octet-stream');
    Readable.from(chunks(300)).pipe(response);
  },
  'a piped stream of compressible text': (response) => {
    response.setHeader('Content-Type', 'text/plain');
    Readable.from(chunks(300)).pipe(response);
  },
  'stream.pipeline': async (response, witness) => {
    await pipeline(Readable.from(chunks(300)), response);
    witness.saw(response.writableFinished, response.writableEnded);
  },
  'stream.pipeline from a generator': (response) =>
    pipeline(async function* () {
      for (const chunk of chunks(64)) {
        await turn();
        yield chunk;
      }
    }, response),
  'a body of a megabyte': (response) => response.end(Buffer.alloc(1024 * 1024, 'x')),
  'Content-Length of its own': (response) => {
    response.setHeader('Content-Length', 10);
    response.write('12345');
    response.end('67890');
  },
  'Content-Length of its own, strictly': (response, witness) => {
    response.strictContentLength = true;
    response.setHeader('Content-Length', 5);
    response.write('12345');
    witness.tries(() => response.write('6'));
    witness.tries(() => response.end('6'));
    response.end();
  },
  'no Date': (response) => {
    response.sendDate = false;
    response.end('timeless');
  },
  'Connection: close': (response) => response.setHeader('Connection', 'close').end('bye'),
  'headers after the first byte': (response, witness) => {
    response.write('sent');
    witness.tries(() => response.setHeader('X-Late', '1'));
    witness.tries(() => response.appendHeader('X-Late', '1'));
    witness.tries(() => response.removeHeader('X-Late'));
    witness.tries(() => response.setHeaders(new Map([['X-Late', '1']])));
    witness.looksAt(response);
    witness.tries(() => response.writeHead(500));
    response.end();
  },
  'a status after the first byte': (response, witness) => {
    response.write('sent');
    response.statusCode = 500;
    response.statusMessage = 'Too Late';
    response.on('finish', () => witness.looksAt(response));
    response.end();
    witness.looksAt(response);
  },
  'how it looks on the way': (response, witness) => {
    response.on('finish', () => witness.looksAt(response));
    witness.looksAt(response);
    response.writeHead(201);
    witness.looksAt(response);
    response.write('x');
    witness.looksAt(response);
    response.end();
    witness.looksAt(response);
  },
  'two answers': (response, witness) => {
    response.on('error', witness.hears('error'));
    response.end('first');
    witness.saw(response.end() === response);
    witness.tries(() => response.writeHead(500));
    response.end('second', witness.hears('second'));
  },
  'write after end': (response, witness) => {
    response.on('error', witness.hears('error'));
    response.end('first');
    witness.saw(response.write('second', witness.hears('second')));
  },
  'chunks that are none': (response, witness) => {
    witness.tries(() => response.write(5));
    witness.tries(() => response.write(null));
    witness.tries(() => response.end({} as never));
    witness.looksAt(response);
    response.statusCode = 418;
    response.end('still here');
  },
  'a chunk that is none after a good one': (response, witness) => {
    response.write('good');
    witness.tries(() => response.write(5));
    witness.tries(() => response.end([] as never));
    response.end('end');
  },
  'a status that is none': (response, witness) => {
    witness.tries(() => response.writeHead(99));
    witness.tries(() => response.writeHead(1000, 'Many'));
    response.writeHead(200).end('mended');
  },
  'a status that is none, left to end': (response, witness) => {
    response.statusCode = 42;
    witness.tries(() => response.end('never'));
    response.statusCode = 409;
    response.end('mended');
  },
  'a reason that splits the response': (response, witness) => {
    witness.tries(() => response.writeHead(200, 'Fine\r\nX-Split: 1'));
    response.statusMessage = 'Fine';
    response.end('mended');
  },
  'a header that splits the response': (response, witness) => {
    const headers: OutgoingHttpHeaders = { 'X-Good': '1', 'X-Bad': 'a\r\nX-Split: 1' };
    witness.tries(() => response.writeHead(200, headers));
    response.removeHeader('X-Good');
    response.end('mended');
  },
  'a header name that splits the response': (response, witness) => {
    witness.tries(() => response.writeHead(200, { 'X-Bad\r\nX-Split': '1' }));
    response.end('mended');
  },
  '204 with a body': (response, witness) => {
    response.writeHead(204);
    witness.saw(response.write(Buffer.alloc(256 * 1024), witness.hears('written')));
    response.end('more');
  },
  '304 with a body': (response) => {
    response.statusCode = 304;
    response.setHeader('ETag', '"1"');
    response.end('none of it');
  },
  'cork and uncork': (response) => {
    response.cork();
    response.write('one');
    response.write('two');
    response.uncork();
    response.write('three');
    response.end();
  },
  'cork over a turn': async (response) => {
    response.cork();
    response.write('one');
    await turn();
    response.write('two');
    process.nextTick(() => response.uncork());
    await turn();
    response.end('three');
  },
  'destroyed before the first byte': (response) => response.destroy(),
  'destroyed after the end of the head': async (response, witness) => {
    response.on('close', witness.hears('close'));
    response.write('half');
    await new Promise((resolve) => response.write(' of it', resolve));
    response.destroy();
  },
  'an error before the first byte': () => {
    throw new Error('before');
  },
  'an error after the first byte': async (response) => {
    response.write('half');
    await turn();
    throw new Error('after');
  },
  'an error after the end': (response) => {
    response.end('all of it');
    throw new Error('after');
  },
  'asked to continue': async (response, _witness, request) => {
    let length = 0;
    for await (const chunk of request) length += (chunk as Buffer).length;
    response.end(`${length} bytes`);
  },
};
