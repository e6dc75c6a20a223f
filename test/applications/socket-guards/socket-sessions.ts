import { Injectable } from '@nestjs/common';
import { parseCookie } from 'cookie';
import { SessionManager, type Delivery, type LoadedSession } from 'nestjs-tessera';
import type { Socket } from 'socket.io';

/** An open socket has no answer that could carry a cookie. */
const OPEN_SOCKET: Delivery = { reach: 'never', obstacle: 'the socket is open already', capacity: 0 };

/**
 * The sessions of sockets: each is opened with the cookie of its handshake, for each message anew, so that a logout or a revocation
 * counts at once. Once `socket.request.session.reload(…)` and `socket.request.session.save()`.
 *
 * For sessions without `rotateEvery`: a socket keeps the token of its handshake, and an old token that is used after a rotation was copied.
 */
@Injectable()
export class SocketSessions {
  constructor(private readonly manager: SessionManager) {}

  /** Returns the session of a socket as it is now. */
  of({ handshake }: Socket): Promise<LoadedSession> {
    const { '__Host-session': token = null } = parseCookie(handshake.headers.cookie ?? '');
    return this.manager.open(token);
  }

  /** Saves what changed in a session. */
  async save(session: LoadedSession): Promise<void> {
    await this.manager.commit(session, OPEN_SOCKET);
  }
}
