import { randomBytes } from 'node:crypto';
import { createParamDecorator } from '@nestjs/common';
import { data } from './data.mjs';
import { createApp, defineController } from './define.mjs';

const sessions = new Map();
const COOKIE = /(?:^|; )__Host-session=([^;]*)/;

/** The value that handlers get: found in a map at once, by a cookie that nobody has checked. */
const Found = createParamDecorator((_, context) => {
  const { headers } = context.switchToHttp().getRequest();
  return sessions.get(COOKIE.exec(headers.cookie ?? '')?.[1]) ?? {};
});

/** Node's own: Nest would wait for Fastify's to be sent, since it has a `then`. */
const Response = createParamDecorator((_, context) => {
  const response = context.switchToHttp().getResponse();
  return response.raw ?? response;
});

/** What cannot be undercut: a cookie looked up by hand, and nothing else that a session is for. */
class LimitController {
  untouched() {
    return { hello: 'world' };
  }

  anonymous({ theme = null }) {
    return { theme };
  }

  begin(_session, response) {
    begin(response, structuredClone(data));
    return { begun: true };
  }

  read({ theme }) {
    return { theme };
  }

  write(session) {
    return { visits: ++session.visits };
  }

  firstWrite(_session, response) {
    begin(response, { visits: 1 });
    return { visits: 1 };
  }
}

function begin(response, session) {
  const token = randomBytes(48).toString('base64url');
  sessions.set(token, session);
  response.setHeader('Set-Cookie', `__Host-session=${token}; Path=/; HttpOnly; Secure; SameSite=Lax`);
}

export const keepsSessions = true;

export function start(platform) {
  return createApp(platform, {
    controllers: [defineController(LimitController, { parameters: [Found(), Response()] })],
  });
}
