import { createApp, requirePeer, SECRET } from './define.mjs';
import { requestSessionController } from './request-session.mjs';

const cookieSession = requirePeer('cookie-session');

export const keepsSessions = true;
export const keepsDataInCookie = true;
/** Data and signature have one each. */
export const cookieLines = 2;

export async function start(platform) {
  const app = await createApp(platform, { controllers: [requestSessionController(logIn)] });
  app.use(
    cookieSession({
      name: 'session',
      keys: [SECRET],
      maxAge: 24 * 60 * 60 * 1000,
      secure: true,
      sameSite: 'lax',
    }),
  );
  return app;
}

/** There is no id that could be renewed. */
async function logIn(request, user) {
  request.session.user = user;
}
