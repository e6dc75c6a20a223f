import type { ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';
import type { SessionHandle } from '../requests/session-handle';
import type { SessionScope } from '../requests/session-scope';
import { isHttp1, isOver, onceOver, sentHeader } from './node-response';

/** How often open responses are looked at, in milliseconds. Most have ended by then. */
const LOOK_EVERY = 400;

/** How long the end of a stream may wait for a slow client, in milliseconds, before the connection is closed. */
const END_TIMEOUT = 500;

/** A response that has used a session and is not over. */
interface OpenResponse {
  readonly response: ServerResponse;
  readonly scope: SessionScope;
  /** Functions that stop watching, by what is watched. */
  readonly watched: Map<SessionHandle, () => void>;
}

/**
 * The open responses of instances that close streams when their session ends. A response costs an entry in a set until it is over; only
 * those that are open for a while are watched.
 */
export class OpenStreams {
  readonly #open = new Set<OpenResponse>();
  #timer: NodeJS.Timeout | undefined;

  add(response: ServerResponse, scope: SessionScope): void {
    if (isOver(response)) return;
    const open: OpenResponse = { response, scope, watched: new Map() };
    this.#open.add(open);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY).unref();
    onceOver(response, () => {
      this.#open.delete(open);
      for (const stop of open.watched.values()) stop();
    });
  }

  #look(): void {
    if (this.#open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    for (const open of this.#open) if (isStream(open.response)) watch(open);
  }
}

/** Whether a response has begun and may go on for as long as it likes. One with a length, such as a download, has an end. */
function isStream(response: ServerResponse): boolean {
  return response.headersSent && !response.writableEnded && sentHeader(response, 'content-length') === null;
}

function watch({ response, scope, watched }: OpenResponse): void {
  for (const handle of scope.handles) {
    if (!handle.instance.closesStreams || watched.has(handle)) continue;
    const stop = handle.watchEnd(() => close(response));
    if (stop !== null) watched.set(handle, stop);
  }
}

/**
 * Ends an event stream, whose client then connects again, and is refused without a login. Breaks off other responses: their client must not
 * take what it has for the whole.
 */
function close(response: ServerResponse): void {
  if (response.writableEnded || response.destroyed) return;
  if (!/^text\/event-stream\b/i.test(sentHeader(response, 'content-type') ?? '')) {
    breakOff(response);
    return;
  }
  // Code that writes to it until it hears of the end would cause an error event, which ends the process without a listener.
  response.on('error', () => {});
  // Nest keeps the Observable of a stream until its HTTP/1 connection is closed.
  const { socket } = response;
  if (isHttp1(response)) response.once('close', () => socket?.destroySoon());
  response.end();
  setTimeout(() => breakOff(response), END_TIMEOUT).unref();
}

/** On HTTP/2, `destroy()` resets the stream without an error, which clients take for its end. */
function breakOff(response: ServerResponse): void {
  if (isHttp1(response)) response.destroy();
  else (response as unknown as Http2ServerResponse).stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}
