import { createApp, requirePeer, SECRET } from './define.mjs';
import { requestSessionController } from './request-session.mjs';

const fastifyCookie = requirePeer('@fastify/cookie');
const fastifySession = requirePeer('@fastify/session');

export const keepsSessions = true;
/** Each save sends the cookie again. */
export const issuesOnWrite = true;

/** With its own store in memory, which it says is not for production: what it can do at best. */
export function start(platform) {
  return serve(platform, undefined);
}

export async function serve(platform, store) {
  const app = await createApp(platform, { controllers: [requestSessionController(logIn)] });
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    ...(store === undefined ? {} : { store }),
    secret: SECRET,
    // No cookie for who has nothing to keep.
    saveUninitialized: false,
    // Its default saves the session and sends the cookie with every answer, even of untouched routes; without, it does as the others do.
    rolling: false,
    cookie: { secure: true, httpOnly: true, sameSite: 'lax' },
  });
  return app;
}

/** A new id, and the user; what follows the handler saves it before the answer. */
async function logIn(request, user) {
  await request.session.regenerate();
  request.session.user = user;
}
