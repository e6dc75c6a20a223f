import { createApp, requirePeer, SECRET } from './define.mjs';
import { requestSessionController } from './request-session.mjs';

export const session = requirePeer('express-session');

export const keepsSessions = true;

/** With its MemoryStore, which it says is not for production: what it can do at best. */
export function start(platform) {
  return serve(platform, new session.MemoryStore());
}

export async function serve(platform, store) {
  const app = await createApp(platform, { controllers: [requestSessionController(logIn)] });
  app.use(
    session({
      store,
      secret: SECRET,
      // Its manual: probably what you want with a store that has `touch`, as all of these have.
      resave: false,
      // No cookie for who has nothing to keep.
      saveUninitialized: false,
      // Without `maxAge`, as in its example: with it, each change would send the cookie again.
      cookie: { secure: true },
    }),
  );
  return app;
}

/** "User login" of its manual: a new id, the user, and saved before the answer. */
async function logIn(request, user) {
  await called((done) => request.session.regenerate(done));
  request.session.user = user;
  await called((done) => request.session.save(done));
}

function called(work) {
  return new Promise((resolve, reject) => work((error) => (error ? reject(error) : resolve())));
}
