import assert from 'node:assert/strict';
import { Controller, Get, Post, UseGuards, type INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import {
  AuthGuard,
  MemorySessionStore,
  Principal,
  Session,
  SessionManager,
  SessionModule,
  type LoggedInPrincipal,
} from 'nestjs-tessera';
import { FaultyStore, actingAs, browserAgent, expectSession, manualClock } from 'nestjs-tessera/testing';

/** What every runner has. */
interface Runner {
  readonly describe: (title: string, body: () => void) => void;
  readonly it: (title: string, body: () => Promise<void>) => void;
  readonly afterEach: (body: () => Promise<void>) => void;
}

@Controller()
class AccountController {
  @UseGuards(AuthGuard)
  @Get('me')
  me(@Principal() { id }: LoggedInPrincipal): object {
    return { id };
  }

  @Post('logout')
  logout(@Session() session: Session): void {
    session.logout();
  }
}

/** Uses all of the testing kit but the suite for stores, as an application's tests do. Its assertions are those of Node. */
export function describeKit({ describe, it, afterEach }: Runner): void {
  for (const platform of ['express', 'fastify'])
    describe(`the testing kit on ${platform}`, () => {
      let app: INestApplication;
      const clock = manualClock();
      const store = new FaultyStore(new MemorySessionStore());

      const start = async (listen = true): Promise<void> => {
        const imports = [SessionModule.forRoot({ clock, store, idleTimeout: '30m', storeTimeout: 300 })];
        const module = await Test.createTestingModule({
          imports,
          controllers: [AccountController],
        }).compile();
        app =
          platform === 'fastify'
            ? module.createNestApplication(new FastifyAdapter())
            : module.createNestApplication();
        app.useLogger(false);
        await (listen ? app.listen(0, '127.0.0.1') : app.init());
      };
      afterEach(async () => {
        store.heal();
        await app.close();
      });

      it('logs a client in, and tells when it is logged out', async () => {
        await start();
        const ada = await actingAs(app, { id: 7 });
        const agent = browserAgent(request.agent(app.getHttpServer())).set(ada.headers);
        const me = await agent.get('/me').expect(200, { id: '7' });
        expectSession(me, app).kept();
        expectSession(await agent.post('/logout'), app).cleared();
        await agent.get('/me').expect(401);
      });

      it('fails an assertion as the runner expects it', async () => {
        await start();
        const response = await fetch(await app.getUrl());
        await assert.rejects(expectSession(response, app).issued(), { name: 'AssertionError' });
      });

      it('moves the time, and makes the store fail', async () => {
        await start();
        const { headers } = await actingAs(app, { id: 7 });
        const status = async (): Promise<number> =>
          (await fetch(`${await app.getUrl()}/me`, { headers })).status;
        store.fail('find', { times: 1 });
        const statuses = [await status(), await status()];
        clock.advance('30m');
        assert.deepEqual([...statuses, await status()], [503, 200, 401]);
      });

      it('lets a store hang until the deadline, also where nothing else keeps the process alive', async () => {
        await start(false);
        const { token } = await actingAs(app, { id: 7 });
        store.hang('find');
        await assert.rejects(app.get(SessionManager).open(token), { code: 'SESSION_STORE_UNAVAILABLE' });
      });
    });
}
