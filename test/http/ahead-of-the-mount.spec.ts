import { Controller, Get, Post } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import express, { type Request, type Response, type NextFunction } from 'express';
import fastify, { type FastifyInstance } from 'fastify';
import { Session, SessionModule, SessionService } from 'nestjs-tessera';
import { closeApps, startApp, type App } from '../support/app';
import '../support/session-data';
import { visitor } from '../support/visitor';

@Controller()
class VisitsController {
  @Get('behind/visits')
  visits(@Session('visits') visits = 0): string {
    return `${visits} visits`;
  }

  @Post('login')
  login(@Session() session: Session): void {
    session.login({ id: 'ada' });
  }
}

type Route = (request: Request, response: Response, next: NextFunction) => unknown;

/** Puts a router where AdminJS puts its own: ahead of everything that is mounted already. */
function putAhead(app: App, path: string, route: Route): void {
  const instance = (app as NestExpressApplication).getHttpAdapter().getInstance();
  instance.use(path, route as express.RequestHandler);
  // Express 4 has it under the other name. Its own middleware, which makes a request Express's, stays the first.
  const { stack } = (instance as { _router?: express.Router })._router ?? instance.router;
  const own = stack.findIndex(({ name }) => name === 'expressInit') + 1;
  stack.splice(own, 0, stack.pop()!);
}

const visit = (session: Session): number => session.update('visits', (visits = 0) => visits + 1);

describe('a router that moved itself ahead of ours, on express', () => {
  const start = (path: string, route: (sessions: SessionService) => Route): Promise<App> =>
    startApp({
      platform: 'express',
      controllers: [VisitsController],
      configure: (app) => putAhead(app, path, route(app.get(SessionService))),
    });
  afterEach(closeApps);

  it('is given the session of its request, which is committed before it answers', async () => {
    const app = await start('/ahead', (sessions) => async (request, response) => {
      const session = await sessions.of(request);
      response.send(`${visit(session)} visits, ${(await sessions.of(request)) === session}`);
    });
    const ada = await visitor(app);
    const first = await ada.get('/ahead');
    expect({ text: first.text, cookies: first.cookies.length }).toEqual({
      text: '1 visits, true',
      cookies: 1,
    });
    expect((await ada.get('/ahead')).text).toBe('2 visits, true');
    expect((await ada.get('/behind/visits')).text).toBe('2 visits');
  });

  it('shares it with the handler it passes the request on to', async () => {
    const app = await start('/behind', (sessions) => async (request, _response, next) => {
      visit(await sessions.of(request));
      next();
    });
    const answer = await (await visitor(app)).get('/behind/visits');
    expect({ text: answer.text, cookies: answer.cookies.length }).toEqual({ text: '1 visits', cookies: 1 });
  });

  it('cannot change it once the response has begun', async () => {
    const app = await start('/ahead', (sessions) => async (request, response) => {
      response.write('begun, ');
      const session = await sessions.of(request);
      try {
        visit(session);
      } catch (error) {
        response.end((error as { code: string }).code);
      }
    });
    const answer = await (await visitor(app)).get('/ahead');
    expect({ text: answer.text, cookies: answer.cookies }).toEqual({
      text: 'begun, SESSION_RESPONSE_STARTED',
      cookies: [],
    });
  });

  it('finds it from a plain Express application inside', async () => {
    const app = await start('/ahead', (sessions) => {
      const inside = express();
      inside.get('/', async (request, response) => {
        response.send(`${visit(await sessions.of(request))} visits`);
      });
      return inside;
    });
    expect((await (await visitor(app)).get('/ahead')).text).toBe('1 visits');
  });

  it('is refused the requests of another application', async () => {
    const app = await start('/ahead', () => (_request, response) => response.send('nothing'));
    const other = await startApp({
      platform: 'express',
      options: false,
      configure: (it) =>
        putAhead(it, '/', (request, response) =>
          app
            .get(SessionService)
            .of(request)
            .catch(({ code }: { code: string }) => response.send(code)),
        ),
    });
    expect((await (await visitor(other)).get('/')).text).toBe('SESSION_REQUEST_MISSING');
  });
});

/** Two applications of Nest, one mounted in the other; each asks for its own session, wherever the other has been before. */
describe('T8: an application inside of another one, with a router ahead of its own', () => {
  let inside: NestExpressApplication;

  const start = async (route: (sessions: { inner: SessionService; outer: SessionService }) => Route) => {
    const module = await Test.createTestingModule({
      imports: [SessionModule.forRoot({ cookie: { name: '__Host-inside' } })],
    }).compile();
    inside = module.createNestApplication<NestExpressApplication>({ logger: false });
    await inside.init();
    return startApp({
      platform: 'express',
      controllers: [VisitsController],
      configure: (app) => {
        const sessions = { inner: inside.get(SessionService), outer: app.get(SessionService) };
        putAhead(inside, '/', route(sessions));
        (app as NestExpressApplication).use('/inside', inside.getHttpAdapter().getInstance());
      },
    });
  };
  afterEach(async () => {
    await closeApps();
    await inside.close();
  });

  it('does not believe the logins of the other', async () => {
    const app = await start(({ inner, outer }) => async (request, response) => {
      const principals = [await outer.of(request), await inner.of(request), await outer.of(request)].map(
        ({ principal }) => principal?.id ?? 'nobody',
      );
      response.json(principals);
    });
    const ada = await visitor(app);
    await ada.post('/login');
    expect((await ada.get('/inside/')).json()).toEqual(['ada', 'nobody', 'ada']);
  });

  it('has no current session before it has taken the request, least of all the other one', async () => {
    const app = await start(({ inner, outer }) => async (_request, response) => {
      const code = await inner.current().catch((error: { code: string }) => error.code);
      response.json({ inner: code, outer: (await outer.current()).principal?.id });
    });
    const ada = await visitor(app);
    await ada.post('/login');
    expect((await ada.get('/inside/')).json()).toEqual({ inner: 'SESSION_REQUEST_MISSING', outer: 'ada' });
  });

  it('commits both', async () => {
    const app = await start(({ inner, outer }) => async (request, response) => {
      response.json([visit(await inner.of(request)), visit(await outer.of(request))]);
    });
    const ada = await visitor(app);
    const first = await ada.get('/inside/');
    expect({ visits: first.json(), cookies: first.cookies.length }).toEqual({ visits: [1, 1], cookies: 2 });
    expect((await ada.get('/inside/')).json()).toEqual([2, 2]);
  });
});

describe('a hook that Fastify had before Nest', () => {
  let app: Awaited<ReturnType<typeof start>>;

  async function start(prepare: (instance: FastifyInstance, sessions: () => SessionService) => void) {
    const instance = fastify();
    prepare(instance, () => nest.get(SessionService));
    const module = await Test.createTestingModule({
      imports: [SessionModule.forRoot()],
      controllers: [VisitsController],
    }).compile();
    const nest = module.createNestApplication(new FastifyAdapter(instance as never), { logger: false });
    await nest.listen(0, '127.0.0.1');
    return nest;
  }
  afterEach(() => app.close());

  it('shares the session with the handler', async () => {
    app = await start((instance, sessions) =>
      instance.addHook('onRequest', async (request) => void visit(await sessions().of(request))),
    );
    const ada = await visitor(app as unknown as App);
    const first = await ada.get('/behind/visits');
    expect({ text: first.text, cookies: first.cookies.length }).toEqual({ text: '1 visits', cookies: 1 });
    expect((await ada.get('/behind/visits')).text).toBe('2 visits');
  });

  it('is given the session also when it answers by itself', async () => {
    app = await start((instance, sessions) =>
      instance.addHook('onRequest', async (request, reply) =>
        reply.send(`${visit(await sessions().of(request))} visits`),
      ),
    );
    const ada = await visitor(app as unknown as App);
    expect((await ada.get('/')).text).toBe('1 visits');
    expect((await ada.get('/')).text).toBe('2 visits');
  });
});
