import { randomBytes } from 'node:crypto';
import { createParamDecorator, Req } from '@nestjs/common';
import { data } from './data.mjs';
import { createApp, defineController } from './define.mjs';

const COOKIE = /(?:^|; )__Host-session=([^;]*)/;

/** Node's own: Nest would wait for Fastify's to be sent, since it has a `then`. */
const Response = createParamDecorator((_, context) => {
  const response = context.switchToHttp().getResponse();
  return response.raw ?? response;
});

/**
 * What cannot be undercut with sessions on a server: a cookie that nobody checks, one question to the driver to find what is stored under
 * it as JSON, and one to store it again. A login takes one more, to remove what was there under the old cookie.
 * @param find `(id) => Promise<text | undefined>`
 * @param put `(id, text) => Promise<unknown>`
 * @param remove `(id) => Promise<unknown>`
 */
export function startLimit(platform, { find, put, remove }) {
  const open = async ({ headers }) => {
    const id = COOKIE.exec(headers.cookie ?? '')?.[1];
    const text = id === undefined ? undefined : await find(id);
    return { id, session: text === undefined ? {} : JSON.parse(text) };
  };
  const begin = async (response, session) => {
    const id = randomBytes(48).toString('base64url');
    await put(id, JSON.stringify(session));
    response.setHeader('Set-Cookie', `__Host-session=${id}; Path=/; HttpOnly; Secure; SameSite=Lax`);
  };

  class LimitController {
    untouched() {
      return { hello: 'world' };
    }

    async anonymous(request) {
      const { session } = await open(request);
      return { theme: session.theme ?? null };
    }

    async begin(_request, response) {
      await begin(response, data);
      return { begun: true };
    }

    async read(request) {
      const { session } = await open(request);
      return { theme: session.theme };
    }

    async write(request) {
      const { id, session } = await open(request);
      session.visits++;
      await put(id, JSON.stringify(session));
      return { visits: session.visits };
    }

    async login(request, response) {
      const { id, session } = await open(request);
      await begin(response, { ...session, user: 'ada' });
      await remove(id);
      return { user: 'ada' };
    }

    async user(request) {
      const { session } = await open(request);
      return { user: session.user ?? null };
    }

    async firstWrite(_request, response) {
      await begin(response, { visits: 1 });
      return { visits: 1 };
    }
  }
  return createApp(platform, {
    controllers: [defineController(LimitController, { parameters: [Req(), Response()] })],
  });
}
