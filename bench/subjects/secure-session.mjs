import { Session } from '@nestjs/common';
import { data } from './data.mjs';
import { createApp, defineController, requirePeer, SECRET } from './define.mjs';

const secureSession = requirePeer('@fastify/secure-session');

export const keepsSessions = true;
export const keepsDataInCookie = true;

class SecureController {
  untouched() {
    return { hello: 'world' };
  }

  anonymous(session) {
    return { theme: session.get('theme') ?? null };
  }

  begin(session) {
    for (const [key, value] of Object.entries(data)) session.set(key, value);
    return { begun: true };
  }

  read(session) {
    return { theme: session.get('theme') };
  }

  write(session) {
    const visits = session.get('visits') + 1;
    session.set('visits', visits);
    return { visits };
  }

  /** `regenerate` empties the session; there is no id that could be renewed. */
  login(session) {
    session.regenerate();
    session.set('user', 'ada');
    return { user: 'ada' };
  }

  user(session) {
    return { user: session.get('user') ?? null };
  }

  guarded(session) {
    return { user: session.get('user') };
  }

  firstWrite(session) {
    session.set('visits', 1);
    return { visits: 1 };
  }
}

class SecureGuard {
  canActivate(context) {
    return context.switchToHttp().getRequest().session.get('user') !== undefined;
  }
}

export async function start(platform) {
  const app = await createApp(platform, {
    controllers: [defineController(SecureController, { parameters: [Session()], guard: SecureGuard })],
  });
  await app.register(secureSession, {
    // A key, not a passphrase: the way it recommends.
    key: Buffer.from(SECRET).subarray(0, 32),
    cookie: { path: '/', httpOnly: true, secure: true, sameSite: 'lax' },
  });
  return app;
}
