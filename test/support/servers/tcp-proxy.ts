import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './free-port';

/** The network between a test and a server on 127.0.0.1, which can be as bad as the test likes. */
export class TcpProxy {
  /** Hears what a client says before it goes on; what it then stops with `cut` or `hang` has not gone on. */
  onClientData: (chunk: Buffer) => void = () => {};
  /** The same for what the server says. */
  onServerData: (chunk: Buffer) => void = () => {};

  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<Socket>();
  /** What these say arrives nowhere, ever. */
  readonly #stranded = new WeakSet<Socket>();
  #listener: Server | undefined;
  #delay = 0;
  /** What waits for `heal`, while the network hangs. */
  #hanging: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  private constructor(
    private readonly target: number,
    readonly port: number,
  ) {}

  static async open(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort, await freePort());
    await proxy.heal();
    return proxy;
  }

  /** How many connections clients have not ended, black-holed or not. */
  get clients(): number {
    return this.#clients.size;
  }

  /** The way to a server through this proxy. */
  through(url: string): string {
    const changed = new URL(url);
    changed.port = String(this.port);
    return changed.href;
  }

  /** What clients say from now on arrives this many milliseconds later. */
  delay(ms: number): void {
    this.#delay = ms;
  }

  /** Half-open: connections stay and new ones are accepted, but nothing arrives, neither bytes nor ends, until `heal`. */
  hang(): void {
    if (this.#hanging !== undefined) return;
    let end!: () => void;
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#hanging = { over, end };
  }

  /** Black-holes the connections there are: they stay, and nothing arrives on them ever again. New ones are as good as ever. */
  strand(): void {
    for (const socket of this.#sockets) this.#stranded.add(socket);
  }

  /** Nobody listens any more, and the connections that were are cut. */
  async refuse(): Promise<void> {
    this.cut();
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener === undefined) return;
    listener.close();
    await once(listener, 'close');
  }

  /** Resets the connections there are. New ones are welcome. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** As good as new: what hung arrives now, whoever was refused may come again. */
  async heal(): Promise<void> {
    this.#delay = 0;
    this.#hanging?.end();
    this.#hanging = undefined;
    if (this.#listener !== undefined) return;
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#listener.listen(this.port, '127.0.0.1');
    await once(this.#listener, 'listening');
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#clients.add(client);
    for (const event of ['end', 'close']) client.on(event, () => this.#clients.delete(client));
    this.#carry(
      client,
      server,
      (chunk) => this.onClientData(chunk),
      () => this.#delay,
    );
    this.#carry(
      server,
      client,
      (chunk) => this.onServerData(chunk),
      () => 0,
    );
  }

  /** Passes on what one says to the other, in order. */
  #carry(from: Socket, to: Socket, hear: (chunk: Buffer) => void, delay: () => number): void {
    this.#sockets.add(from);
    let passed = Promise.resolve();
    const pass = (go: () => void): void => {
      const arrived = delay() > 0 ? pause(delay()) : undefined;
      passed = passed.then(async () => {
        await arrived;
        await this.#hanging?.over;
        if (!to.destroyed && !this.#stranded.has(from)) go();
      });
    };
    from.on('data', (chunk: Buffer) => {
      hear(chunk);
      pass(() => to.write(chunk));
    });
    from.on('end', () => pass(() => to.end()));
    from.on('error', () => pass(() => to.destroy()));
    from.on('close', () => {
      this.#sockets.delete(from);
    });
  }
}
