import { boundLoginOf, type BoundLogin } from '../core/bound-login';
import { GRACE } from '../core/secret-history';
import { draftOf } from '../core/session';
import { openByToken } from './opening';
import type { SessionInstance, SessionInstances } from './session-instance';
import { SocketUnit, type Socket } from './socket-unit';
import type { UnitOfWork } from './unit-of-work';

/**
 * Why a socket is closed: its login has ended, its session could not be read, or its token, which came long ago, opens nothing any more. Its client
 * may have a newer one.
 */
export type Closing = 'ended' | 'unavailable' | 'outdated';

/** The sessions of one socket. They are those of its handshake, whatever tokens they get later, until one of their logins ends. */
export class BoundSocket {
  /** By the names of the instances. */
  readonly #bound = new Map<string, Promise<BoundLogin | null>>();
  readonly #stops: (() => void)[] = [];
  #isOver = false;

  /** @param onClose called once, when the socket is to be closed */
  constructor(
    private readonly instances: SessionInstances,
    private readonly socket: Socket,
    private readonly onClose: (closing: Closing) => void,
  ) {}

  /** Whether it is closed, or was told to close: a client may take its time. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Opens the session of the handshake at the first call, which is a use of it, and closes the socket when its login ends. Returns `null`
   * without a session. Rejects with the door's translation of a store's failure.
   * @param touches whether the first call is a use
   */
  bind(instance: SessionInstance, touches = true): Promise<BoundLogin | null> {
    const bound = this.#bound.get(instance.name) ?? this.#bind(instance, touches);
    this.#bound.set(instance.name, bound);
    return bound;
  }

  /** Opens the session of the handshake for a message. It is empty when its login has ended. One function for all messages. */
  readonly open: NonNullable<UnitOfWork['open']> = async (instance, arrivedAt, touches) => {
    const bound = await (this.#bound.get(instance.name) ?? this.#bindLate(instance, touches));
    if (!bound) return instance.manager.find(null, arrivedAt, touches);
    const session = await instance.manager.reopen(bound, arrivedAt, touches);
    // The watch says so too, but perhaps later.
    if (session.isNew) this.close('ended');
    return session;
  };

  close(closing: Closing): void {
    if (this.#isOver) return;
    this.end();
    this.onClose(closing);
  }

  /** Called when the socket is closed. */
  end(): void {
    this.#isOver = true;
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** After a failure, the next message tries again. */
  #bindLate(instance: SessionInstance, touches: boolean): Promise<BoundLogin | null> {
    const bound = this.bind(instance, touches);
    bound.catch(() => this.#bound.delete(instance.name));
    return bound;
  }

  async #bind(instance: SessionInstance, touches: boolean): Promise<BoundLogin | null> {
    const { manager, transport, name, clock } = instance;
    if (transport.read(this.socket.headers).kind === 'none') return null;
    const sentAt = this.#sentAt(instance);
    // Its client may have got newer ones since, so that a replaced token does not mean that it was copied.
    const isLate = sentAt !== undefined && clock() - sentAt >= GRACE;
    const { scope } = new SocketUnit(this.instances, this.socket, async (_instance, now, isUse) => {
      const arrivedAt = isLate ? now : (sentAt ?? now);
      return (await openByToken(instance, this.socket.headers, arrivedAt, isUse, isLate)).session;
    });
    const handle = scope.handle(name);
    if (!touches) handle.leaveIdle();
    const session = await handle.find();
    if (session.isNew) {
      // With a newer token, its client gets in.
      if (isLate) this.close('outdated');
      return null;
    }
    // As it was found: the commit may meet another request that has replaced the token.
    const bound = boundLoginOf(draftOf(session));
    await scope.commit();
    if (bound === null) this.close('ended');
    else if (!this.#isOver) this.#stops.push(manager.watchBound(bound, () => this.close('ended')));
    return bound;
  }

  /** When the token came, which is judged as of then; `undefined` for now. */
  #sentAt({ clock }: SessionInstance): number | undefined {
    return clock === this.instances.clock ? this.socket.openedAt : undefined;
  }
}
