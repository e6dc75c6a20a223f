import type { NestExpressApplication } from '@nestjs/platform-express';
import flash from 'connect-flash';
import { csrfSync } from 'csrf-sync';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import grant from 'grant';
import { Configuration, None, allowInsecureRequests } from 'openid-client';
import { Strategy as OpenIdClientStrategy } from 'openid-client/passport';
import { Passport, type Strategy as AnyStrategy } from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import OAuth2Strategy from 'passport-oauth2';
import { requestSession } from 'nestjs-tessera/express-session';
import { AuthorizationServer } from '../applications/support/authorization-server';
import { closeApps, startApp, type App } from '../support/app';
import { visitor, type Answer, type Visitor } from '../support/visitor';

/** A router of Express with middleware as its documentation mounts it, where express-session was before. */
async function start(mount: (router: express.Router) => void): Promise<Visitor> {
  const router = express.Router();
  router.use(requestSession(), express.json());
  mount(router);
  const configure = (app: App): void => {
    (app as NestExpressApplication).set('trust proxy', 1);
    app.use(router);
    app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
      response.status((error as { status?: number }).status ?? 500).json({ error: error.message });
    });
  };
  return visitor(await startApp({ platform: 'express', configure }));
}
const who: RequestHandler = (request, response) => {
  response.json({ user: request.user ?? null });
};
const userOf = async (browser: Visitor): Promise<unknown> =>
  (await browser.get('/me')).json<{ user: unknown }>().user;

function newPassport(...strategies: AnyStrategy[]): InstanceType<typeof Passport> {
  const passport = new Passport();
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id));
  passport.deserializeUser((id, done) => done(null, { id }));
  for (const strategy of strategies) passport.use(strategy);
  return passport;
}

afterEach(closeApps);

describe('passport-local over req.session', () => {
  const local = new LocalStrategy((id, password, done) => done(null, password === 'right' && { id }));
  const mount = (router: express.Router): void => {
    const passport = newPassport(local);
    router.use(passport.initialize(), passport.session());
    router.post('/cart', (request, response) => {
      Object.assign(request.session, { cart: ['pear'] });
      response.json({});
    });
    router.get('/cart', (request, response) => {
      response.json((request.session as { cart?: string[] }).cart ?? []);
    });
    const keepSessionInfo = { keepSessionInfo: true } as const;
    router.post('/login', passport.authenticate('local'), who);
    router.post('/login/keeping', passport.authenticate('local', keepSessionInfo), who);
    router.post('/logout', (request, response, next) => {
      request.logout((error) => (error ? next(error) : response.json({})));
    });
    router.get('/me', who);
  };
  const credentials = (password: string): object => ({ username: 'ada', password });

  it('logs in and out', async () => {
    const ada = await start(mount);
    const refused = await ada.post('/login', credentials('wrong'));
    await ada.post('/login', credentials('right'));
    const user = await userOf(ada);
    await ada.post('/logout');
    expect({ refused: refused.status, user, after: await userOf(ada) }).toEqual({
      refused: 401,
      user: { id: 'ada' },
      after: null,
    });
  });

  it.each([
    { path: '/login', cart: [] },
    { path: '/login/keeping', cart: ['pear'] },
  ])(
    'L1: replaces the token at POST $path, and the one from before opens nothing',
    async ({ path, cart }) => {
      const ada = await start(mount);
      await ada.post('/cart');
      const planted = await ada.twin();
      const before = await ada.token();
      await ada.post(path, credentials('right'));
      expect({
        isRenewed: (await ada.token()) !== before,
        cart: (await ada.get('/cart')).json(),
        planted: await userOf(planted),
        cartOfPlanted: (await planted.get('/cart')).json(),
      }).toEqual({ isRenewed: true, cart, planted: null, cartOfPlanted: [] });
    },
  );
});

describe('logins at another site over req.session', () => {
  const server = new AuthorizationServer({ sub: 'ada', sid: 'first' });
  beforeAll(() => server.start());
  afterAll(() => server.stop());

  const oauth2 = (own: object): AnyStrategy =>
    new OAuth2Strategy(
      {
        authorizationURL: `${server.issuer}/authorize`,
        tokenURL: `${server.issuer}/token`,
        clientID: 'shop',
        clientSecret: 'secret',
        callbackURL: 'https://shop.test/callback',
        ...own,
      },
      (_access: string, _refresh: string, _profile: object, done: (error: null, user: object) => void) =>
        done(null, { id: server.user.sub }),
    );
  const openidClient = (): AnyStrategy => {
    const metadata = {
      issuer: server.issuer,
      authorization_endpoint: `${server.issuer}/authorize`,
      token_endpoint: `${server.issuer}/token`,
      jwks_uri: `${server.issuer}/jwks`,
      code_challenge_methods_supported: ['S256'],
    };
    const config = new Configuration(metadata, 'shop', { id_token_signed_response_alg: 'ES256' }, None());
    allowInsecureRequests(config);
    const options = { name: 'oauth2', config, callbackURL: 'https://shop.test/callback', scope: 'openid' };
    return new OpenIdClientStrategy(options, (tokens, done) => {
      done(null, { id: tokens.claims()!.sub });
    }) as unknown as AnyStrategy;
  };
  const withPassport = (strategy: AnyStrategy) => (router: express.Router) => {
    const passport = newPassport(strategy);
    router.use(passport.initialize(), passport.session());
    router.get('/begin', passport.authenticate('oauth2'));
    router.get('/callback', passport.authenticate('oauth2'), who);
    router.get('/me', who);
  };
  const withGrant = (router: express.Router): void => {
    const shop = {
      ...{ authorize_url: `${server.issuer}/authorize`, access_url: `${server.issuer}/token` },
      ...{
        oauth: 2,
        key: 'shop',
        secret: 'secret',
        state: true,
        pkce: true,
        callback: '/me',
        transport: 'session',
      },
      redirect_uri: 'https://shop.test/connect/shop/callback',
    };
    router.use(grant.express({ defaults: { origin: 'https://shop.test' }, shop }) as never);
    router.get('/me', (request, response) => {
      const { response: told } = (request.session as { grant?: { response?: { access_token?: string } } })
        .grant!;
      response.json({ user: told?.access_token === 'access' ? { id: 'ada' } : null });
    });
  };
  const begun = async (browser: Visitor, path: string): Promise<string> => {
    const { headers } = await browser.get(path, { headers: { 'x-forwarded-proto': 'https' } });
    return server.consent(headers.get('location')!);
  };
  const comeBack = (browser: Visitor, path: string): Promise<Answer> =>
    browser.get(path, { headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.test' } });

  it.each([
    { name: 'passport-oauth2', path: '/begin', mount: () => withPassport(oauth2({ state: true })) },
    {
      name: 'passport-oauth2 with PKCE',
      path: '/begin',
      mount: () => withPassport(oauth2({ state: true, pkce: true })),
    },
    { name: "openid-client's strategy", path: '/begin', mount: () => withPassport(openidClient()) },
    { name: 'grant', path: '/connect/shop', mount: () => withGrant },
  ])('$name logs in the browser that began, and no other', async ({ path, mount }) => {
    const ada = await start(mount());
    const victim = await ada.twin();
    await victim.jar.removeAllCookies();
    const stolen = await comeBack(victim, await begun(ada, path));
    await comeBack(ada, await begun(ada, path));
    expect({ user: await userOf(ada), isStolenRefused: stolen.text.includes('"id"') === false }).toEqual({
      user: { id: 'ada' },
      isStolenRefused: true,
    });
  });
});

describe('small middleware over req.session', () => {
  it('connect-flash shows a message once', async () => {
    const ada = await start((router) => {
      router.use(flash());
      router.post('/flash', (request, response) => {
        request.flash('info', 'saved');
        request.flash('info', 'twice');
        response.json({});
      });
      router.get('/flash', (request, response) => response.json(request.flash('info')));
    });
    await ada.post('/flash');
    const answers = [await ada.get('/flash'), await ada.get('/flash')];
    expect(answers.map((answer) => answer.json())).toEqual([['saved', 'twice'], []]);
  });

  it('csrf-sync lets in a form with the token of its session only', async () => {
    const { csrfSynchronisedProtection, generateToken } = csrfSync();
    const ada = await start((router) => {
      router.get('/token', (request, response) => response.json({ token: generateToken(request) }));
      router.post('/form', csrfSynchronisedProtection, (_request, response) => response.json({}));
    });
    const { token } = (await ada.get('/token')).json<{ token: string }>();
    const [right, wrong] = [
      await ada.post('/form', {}, { headers: { 'x-csrf-token': token } }),
      await ada.post('/form', {}, { headers: { 'x-csrf-token': `${token}x` } }),
    ];
    expect({ right: right.status, wrong: wrong.status }).toEqual({ right: 200, wrong: 403 });
  });
});
