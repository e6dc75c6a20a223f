import fastifyFlash from '@fastify/flash';
import { Authenticator } from '@fastify/passport';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Strategy as LocalStrategy } from 'passport-local';
import { fastifyRequestSession, type FastifyRequestSession } from 'nestjs-tessera/express-session';
import { closeApps, startApp } from '../support/app';
import { visitor, type Visitor } from '../support/visitor';

declare module 'fastify' {
  interface FastifyRequest {
    session: FastifyRequestSession;
  }
}

type Mount = (app: NestFastifyApplication) => Promise<void>;

async function start(mount: Mount): Promise<Visitor> {
  const app = await startApp({
    platform: 'fastify',
    configure: async (each) => {
      await (each as NestFastifyApplication).register(fastifyRequestSession);
      await mount(each as NestFastifyApplication);
    },
  });
  return visitor(app);
}
afterEach(closeApps);

describe('@fastify/passport over request.session', () => {
  const mount =
    (options: object = {}): Mount =>
    async (app) => {
      const passport = new Authenticator(options);
      passport.use(
        'local',
        new LocalStrategy((id, password, done) => done(null, password === 'right' && { id })) as never,
      );
      passport.registerUserSerializer(async (user: { id: string }) => user.id);
      passport.registerUserDeserializer(async (id: string) => ({ id }));
      const fastify = app.getHttpAdapter().getInstance();
      await app.register(passport.initialize());
      await app.register(passport.secureSession());
      fastify.post('/cart', (request, reply) => {
        request.session.set('cart', ['pear']);
        void reply.send({});
      });
      const preValidation = passport.authenticate('local');
      fastify.post('/login', { preValidation }, (request, reply) => void reply.send({ user: request.user }));
      fastify.post('/logout', async (request) => {
        await request.logout();
        return {};
      });
      fastify.get('/me', (request, reply) => {
        void reply.send({ user: request.user ?? null, cart: request.session.get('cart') ?? null });
      });
    };
  const login = (browser: Visitor, password = 'right') =>
    browser.post('/login', { username: 'ada', password });
  const me = async (browser: Visitor): Promise<unknown> => (await browser.get('/me')).json();

  it('logs in and out', async () => {
    const ada = await start(mount());
    const refused = await login(ada, 'wrong');
    await login(ada);
    const inside = await me(ada);
    await ada.post('/logout');
    expect({ refused: refused.status, inside, outside: await me(ada) }).toEqual({
      refused: 401,
      inside: { user: { id: 'ada' }, cart: null },
      outside: { user: null, cart: null },
    });
  });

  it.each([
    { what: 'drops the data', options: {}, cart: null },
    { what: 'keeps the data when it is told to', options: { clearSessionOnLogin: false }, cart: ['pear'] },
  ])('L1: replaces the token at a login, and $what', async ({ options, cart }) => {
    const ada = await start(mount(options));
    await ada.post('/cart');
    const planted = await ada.twin();
    const before = await ada.token();
    await login(ada);
    expect({
      isRenewed: (await ada.token()) !== before,
      inside: await me(ada),
      planted: await me(planted),
    }).toEqual({
      isRenewed: true,
      inside: { user: { id: 'ada' }, cart },
      planted: { user: null, cart: null },
    });
  });
});

describe('@fastify/flash over request.session', () => {
  it('shows a message once', async () => {
    const ada = await start(async (app) => {
      await app.register(fastifyFlash);
      const fastify = app.getHttpAdapter().getInstance();
      fastify.post('/flash', (request, reply) => {
        request.flash('info', 'saved');
        void reply.send({});
      });
      fastify.get('/flash', (_request, reply) => void reply.send(reply.flash('info')));
    });
    await ada.post('/flash');
    const answers = [await ada.get('/flash'), await ada.get('/flash')];
    expect(answers.map((answer) => answer.json())).toEqual([['saved'], []]);
  });
});

describe('request.session of Fastify', () => {
  it('has the methods of @fastify/session and @fastify/secure-session', async () => {
    const ada = await start(async (app) => {
      const fastify = app.getHttpAdapter().getInstance();
      fastify.post('/set', (request, reply) => {
        request.session.set('a', 1);
        request.session.set('b', 2);
        request.session.set('b', undefined);
        void reply.send({ data: request.session.data(), a: request.session.get('a') as number });
      });
      fastify.post('/delete', (request, reply) => {
        request.session.delete();
        void reply.send(request.session.data());
      });
      fastify.get('/get', (request, reply) => void reply.send(request.session.data()));
    });
    const answers = [
      await ada.post('/set'),
      await ada.get('/get'),
      await ada.post('/delete'),
      await ada.get('/get'),
    ];
    expect(answers.map((answer) => answer.json())).toEqual([{ data: { a: 1 }, a: 1 }, { a: 1 }, {}, {}]);
  });

  it('inherits nothing from a value that a client names __proto__', async () => {
    const ada = await start(async (app) => {
      app
        .getHttpAdapter()
        .getInstance()
        .post('/set', (request, reply) => {
          request.session.set('__proto__', { isAdmin: true });
          void reply.send({ isAdmin: request.session.isAdmin as boolean, save: typeof request.session.save });
        });
    });
    expect((await ada.post('/set')).json()).toEqual({ save: 'function' });
  });
});
