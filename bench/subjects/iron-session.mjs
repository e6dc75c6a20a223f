import { Req, Res } from '@nestjs/common';
import { data } from './data.mjs';
import { createApp, defineController, requirePeer, SECRET } from './define.mjs';

const { getIronSession } = requirePeer('iron-session');

export const keepsSessions = true;
export const keepsDataInCookie = true;

/** Everything else is its default: secure, lax, 14 days. */
const options = { cookieName: 'session', password: SECRET };

/** As its manual has it for Node and Express: whoever wants the session opens it, and saves it before the answer. */
class IronController {
  untouched() {
    return { hello: 'world' };
  }

  async anonymous(request, response) {
    const session = await getIronSession(request, response, options);
    return { theme: session.theme ?? null };
  }

  async begin(request, response) {
    const session = await getIronSession(request, response, options);
    Object.assign(session, data);
    await session.save();
    return { begun: true };
  }

  async read(request, response) {
    const session = await getIronSession(request, response, options);
    return { theme: session.theme };
  }

  async write(request, response) {
    const session = await getIronSession(request, response, options);
    session.visits++;
    await session.save();
    return { visits: session.visits };
  }

  /** There is no id that could be renewed. */
  async login(request, response) {
    const session = await getIronSession(request, response, options);
    session.user = 'ada';
    await session.save();
    return { user: 'ada' };
  }

  async user(request, response) {
    const session = await getIronSession(request, response, options);
    return { user: session.user ?? null };
  }

  guarded(request) {
    return { user: request.user };
  }

  async firstWrite(request, response) {
    const session = await getIronSession(request, response, options);
    session.visits = 1;
    await session.save();
    return { visits: 1 };
  }
}

/** Hands over whom it has found, so that the cookie is opened once. */
class IronGuard {
  async canActivate(context) {
    const http = context.switchToHttp();
    const { user } = await getIronSession(http.getRequest(), http.getResponse(), options);
    http.getRequest().user = user;
    return user !== undefined;
  }
}

export function start(platform) {
  const controller = defineController(IronController, {
    parameters: [Req(), Res({ passthrough: true })],
    guard: IronGuard,
  });
  return createApp(platform, { controllers: [controller] });
}
