import { UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { AuthGuard, Principal, Session, type LoadedSession, type LoggedInPrincipal } from 'nestjs-tessera';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import { platforms } from '../support/app';
import '../support/session-data';
import { socketKinds, type Frame } from '../websockets/socket-client';
import type { Action, Door, Reply } from './door';

@WebSocketGateway()
class DoorGateway {
  @SubscribeMessage('read')
  read(@Session('visits') visits = 0): Frame {
    return { event: 'done', data: visits };
  }

  @SubscribeMessage('write')
  write(@Session() session: LoadedSession): Frame {
    return { event: 'done', data: session.update('visits', (visits = 0) => visits + 1) };
  }

  @SubscribeMessage('login')
  login(@Session() session: LoadedSession): Frame {
    session.login({ id: 'ada' });
    return { event: 'done', data: 'ada' };
  }

  @SubscribeMessage('logout')
  logout(@Session() session: LoadedSession): Frame {
    session.logout();
    return { event: 'done', data: 'bye' };
  }

  @UseGuards(AuthGuard)
  @SubscribeMessage('guarded')
  guarded(@Principal() { id }: LoggedInPrincipal): Frame {
    return { event: 'done', data: id };
  }
}

function replyOf({ event, data }: Frame): Reply {
  return event === 'done' ? { value: data } : { code: (data as { code?: string }).code };
}

export const socketDoors: readonly Door[] = platforms.flatMap((platform) =>
  socketKinds.map((kind) => ({
    name: `a gateway of ${kind.name}`,
    ...{ platform, missing: null, ending: kind.ending },
    // No frame carries a token.
    cannot: { login: 'SESSION_TOKEN_UNDELIVERABLE' },
    setUp: {
      imports: [SessionSocketsModule],
      providers: [DoorGateway],
      configure: (app) => void app.useWebSocketAdapter(kind.adapter(app)),
    },
    enter: async (app, token) => {
      const headers: Record<string, string> = token === null ? {} : { cookie: `__Host-session=${token}` };
      const socket = await kind.connect(await app.getUrl(), { headers });
      return {
        ask: async (action: Action) => replyOf(await socket.ask(action)),
        token: async () => token ?? undefined,
        closed: socket.closed,
        close: () => socket.close(),
      };
    },
  })),
);
