import { Controller, Get, Post } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { NextFunction, Request, Response } from 'express';
import { Principal, RequireRoles, Session, SessionModule, SessionService } from 'nestjs-tessera';
import { closeApps, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import { visitor } from '../support/visitor';

@Controller()
class InsideController {
  constructor(private readonly sessions: SessionService) {}

  @RequireRoles('admin')
  @Get('vault')
  vault(@Principal() { id }: Principal): string {
    return `the vault of ${id}`;
  }

  @Post('login')
  async login(@Session() session: Session): Promise<string> {
    session.login({ id: 'keeper', roles: ['admin'] });
    return (await this.sessions.current()) === session ? 'welcome' : 'whose session is this?';
  }
}

/** `app.use('/inside', another.getHttpAdapter().getInstance())`, each with users of its own. */
describe('an application inside of another one', () => {
  let inside: NestExpressApplication;
  let outside: App;
  let outer: Scripted;

  /** @param touch what the outer application does with its own session before the inner one answers */
  const start = async (touch?: (session: Session) => void): Promise<void> => {
    const cookie = { name: '__Host-inside' };
    const module = await Test.createTestingModule({
      imports: [SessionModule.forRoot({ cookie })],
      controllers: [InsideController],
    }).compile();
    inside = module.createNestApplication<NestExpressApplication>({ logger: false });
    await inside.init();
    outer = scripted();
    outside = await startApp({
      platform: 'express',
      controllers: [outer.controller],
      configure: (app) => {
        const sessions = app.get(SessionService);
        const before = (request: Request, _response: Response, next: NextFunction): void =>
          void sessions.of(request).then((session) => next(touch?.(session)), next);
        (app as NestExpressApplication).use(
          '/inside',
          ...(touch ? [before] : []),
          inside.getHttpAdapter().getInstance(),
        );
      },
    });
  };
  afterEach(async () => {
    await closeApps();
    await inside.close();
  });

  it('T8: does not believe the logins of the other', async () => {
    await start();
    const ada = await visitor(outside);
    await outer.run(ada, (session) => session.login({ id: 'ada', roles: ['admin'] }));
    expect((await ada.get('/inside/vault')).status).toBe(401);
    expect((await ada.post('/inside/login')).text).toBe('welcome');
    expect((await ada.get('/inside/vault')).text).toBe('the vault of keeper');
    expect((await outer.ask(ada, (session) => session.principal))?.id).toBe('ada');
    expect(await ada.token('__Host-inside')).toBeDefined();
  });

  it.each<[string, (session: Session) => void]>([
    ['read', (session) => void session.principal],
    ['changed', (session) => session.flash('notice', 'seen')],
  ])('T8: commits both sessions of a request whose outer one was %s', async (_what, touch) => {
    await start(touch);
    const ada = await visitor(outside);
    await outer.run(ada, (session) => session.login({ id: 'ada' }));
    expect((await ada.post('/inside/login')).text).toBe('welcome');
    expect((await ada.get('/inside/vault')).text).toBe('the vault of keeper');
    expect((await outer.ask(ada, (session) => session.principal))?.id).toBe('ada');
  });
});
