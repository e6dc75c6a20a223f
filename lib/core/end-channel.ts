import { randomText } from './random-text';
import type { SessionId } from './session-token';
import type { EndListener, EndSubscription } from './store-capabilities';

/** A server that passes messages to all processes that listen. */
export interface EndServer {
  /**
   * Opens a connection of its own, which receives every message. It need not connect again when it breaks.
   * @param receive called with each message
   * @param lost called when the connection breaks
   * @param over aborts when the connection is not needed any more, also while it is being opened, or broken. Then it must be closed, and
   * the attempt to open it given up
   */
  connect(receive: (message: string) => void, lost: () => void, over: AbortSignal): Promise<void>;
  /** Sends a message to every process that listens, this one included. */
  send(message: string): Promise<unknown>;
}

/** How often the connection is tested, and how long the answer may take, in milliseconds. */
const TEST_EVERY = 5000;
const TEST_TIMEOUT = 2000;

/** How long connecting may take, in milliseconds. */
const CONNECTING_TIMEOUT = 5000;

/** Pauses before connecting again, in milliseconds: doubled from the first to the longest. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5000;

/** Begins a message that tests a connection. No session id contains it. */
const TEST = '?';

/** One connection, until it is lost. */
interface Link {
  /** The test under way. */
  test: string;
  /** Called when it arrives. */
  passed: () => void;
  lost: () => void;
}

class Subscription implements EndSubscription {
  constructor(
    private readonly isHeard: () => boolean,
    readonly close: () => void,
  ) {}

  get isActive(): boolean {
    return this.isHeard();
  }
}

/**
 * The ends that one store hears of. One connection for all listeners, opened for the first and closed after the last. It is tested with
 * messages to itself: a server may forbid them, a proxy may swallow them, and the network may lose a connection without closing it.
 */
export class EndChannel {
  readonly #listeners = new Set<EndListener>();
  #isActive = false;
  #stop: AbortController | null = null;

  constructor(private readonly server: EndServer) {}

  /** See `WatchableStore.watchEnds`. */
  watch(listener: EndListener): EndSubscription {
    const own: EndListener = (id) => listener(id);
    this.#listeners.add(own);
    if (this.#stop === null) {
      this.#stop = new AbortController();
      void this.#listen(this.#stop.signal);
    }
    const close = (): void => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.close();
    };
    return new Subscription(() => this.#isActive, close);
  }

  /** Closes the connection, and leaves no listener. */
  close(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#isActive = false;
    this.#listeners.clear();
  }

  /** Listens until the channel is closed. */
  async #listen(stop: AbortSignal): Promise<void> {
    let failures = 0;
    while (!stop.aborted) {
      try {
        await this.#hear(stop, () => (failures = 0));
      } catch {
        // The listeners know that the subscription is inactive.
      }
      const delay = Math.min(FIRST_PAUSE * 2 ** failures++, LONGEST_PAUSE);
      await wait(delay * (0.5 + Math.random() / 2), stop);
    }
  }

  /** Resolves when a connection is lost; rejects when it cannot be opened, or messages do not arrive. */
  async #hear(stop: AbortSignal, succeeded: () => void): Promise<void> {
    const link: Link = { test: '', passed: () => {}, lost: () => {} };
    const over = new AbortController();
    const { signal } = over;
    const ended = new Promise<void>((resolve) => {
      link.lost = () => {
        if (!signal.aborted) this.#isActive = false;
        resolve();
      };
    });
    stop.addEventListener('abort', link.lost, { once: true });
    const connecting = this.server.connect(
      (message) => signal.aborted || this.#receive(message, link),
      () => link.lost(),
      signal,
    );
    try {
      // Once for each connection: a promise keeps what every race with it needs.
      await Promise.race([ended, this.#use(connecting, link, signal, succeeded)]);
    } finally {
      if (!stop.aborted) this.#isActive = false;
      over.abort();
      stop.removeEventListener('abort', link.lost);
    }
  }

  /** Tests a connection from time to time, until it is over. Rejects when a test fails. */
  async #use(connecting: Promise<void>, link: Link, over: AbortSignal, succeeded: () => void): Promise<void> {
    await within(CONNECTING_TIMEOUT, connecting);
    while (!over.aborted) {
      await this.#test(link);
      if (!over.aborted) succeeded();
      await wait(TEST_EVERY, over);
    }
  }

  /** Rejects unless a message arrives that this process sends. */
  async #test(link: Link): Promise<void> {
    link.test = TEST + randomText(9);
    const passed = new Promise<void>((resolve) => (link.passed = resolve));
    await within(TEST_TIMEOUT, Promise.all([this.server.send(link.test), passed]));
  }

  #receive(message: string, link: Link): void {
    if (!message.startsWith(TEST)) {
      for (const id of message.split(',')) this.#tell(id as SessionId);
    } else if (message === link.test) {
      link.passed();
      if (this.#isActive) return;
      this.#isActive = true;
      this.#tell(null);
    }
  }

  #tell(id: SessionId | null): void {
    for (const listener of this.#listeners) listener(id);
  }
}

/** Resolves after a time, or when the signal aborts. Does not keep the process alive. */
function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds).unref();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

/** Rejects when the work takes longer. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error(`no answer within ${milliseconds} ms`));
    timer = setTimeout(fail, milliseconds).unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
