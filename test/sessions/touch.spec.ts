import {
  Controller,
  createParamDecorator,
  Get,
  Post,
  UseGuards,
  type ExecutionContext,
} from '@nestjs/common';
import { AuthGuard, MemorySessionStore, Principal, Session, SessionService } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp } from '../support/app';
import { MINUTE } from '../support/core';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';

const Context = createParamDecorator((_: unknown, context: ExecutionContext) => context);

@Controller()
class PollingController {
  constructor(private readonly sessions: SessionService) {}

  @Post('login') login(@Session() session: Session): void {
    session.login({ id: 7 });
  }
  @Get('use') use(@Session() session: Session): object {
    return { left: session.expiresAt, who: session.principal };
  }
  @Get('poll') poll(@Session({ touch: false }) session: Session): object {
    return { left: session.expiresAt, who: session.principal };
  }
  @Get('guarded') @UseGuards(AuthGuard) guarded(
    @Principal() who: Principal,
    @Session({ touch: false }) session: Session,
  ): object {
    return { left: session.expiresAt, who };
  }
  @Get('asked') async asked(@Context() context: ExecutionContext): Promise<object> {
    const session = await this.sessions.of(context, { touch: false });
    return { left: session.expiresAt, who: session.principal };
  }
  @Get('written') written(@Session({ touch: false }) session: Session): object {
    session.update('visits', (n = 0) => n + 1);
    return { left: session.expiresAt, who: session.principal };
  }
  @Post('again') again(@Session({ touch: false }) session: Session): void {
    session.login({ id: 7 });
  }
}

const stores = {
  memory: () => new MemorySessionStore(),
  sealed: () => new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() }),
};

describe.each(platforms)('a request that is no use of its session on %s', (platform) => {
  describe.each(['memory', 'sealed'] as const)('with sessions in %s', (kind) => {
    let clock: ManualClock;
    let ada: Visitor;
    let idleAt: number;

    beforeEach(async () => {
      clock = manualClock();
      const app = await startApp({
        platform,
        options: { store: stores[kind](), clock, idleTimeout: '30m' },
        controllers: [PollingController],
      });
      ada = await visitor(app);
      await ada.post('/login');
      idleAt = clock() + 30 * MINUTE;
    });
    afterEach(closeApps);

    const ask = async (path: string) => (await ada.get(path)).json<{ left?: number; who?: { id: string } }>();

    it.each(['/poll', '/guarded', '/asked', '/written'])(
      'W13: %s sees how much time is left, and does not lengthen it',
      async (path) => {
        for (const _ of [10, 20, 29]) {
          expect(await ask(path)).toMatchObject({ left: idleAt, who: { id: '7' } });
          clock.advance(9.9 * MINUTE);
        }
        clock.advance(MINUTE);
        expect((await ask('/poll')).who).toBeNull();
      },
    );

    it('W13: any other request keeps the session alive', async () => {
      for (const _ of [10, 20, 30, 40]) {
        clock.advance(10 * MINUTE);
        expect(await ask('/use')).toMatchObject({ left: clock() + 30 * MINUTE, who: { id: '7' } });
      }
    });

    it('W13: a login is a use', async () => {
      clock.advance(29 * MINUTE);
      await ada.post('/again');
      clock.advance(29 * MINUTE);
      expect((await ask('/poll')).who).toMatchObject({ id: '7' });
    });
  });
});

it('W13: a poll rotates the token and keeps nothing alive by that', async () => {
  const clock = manualClock();
  const options = { clock, idleTimeout: '30m', rotateEvery: '1m' } as const;
  const ada = await visitor(
    await startApp({ platform: 'fastify', options, controllers: [PollingController] }),
  );
  await ada.post('/login');
  const token = await ada.token();
  for (const _ of [10, 20]) {
    clock.advance(10 * MINUTE);
    await ada.get('/poll');
  }
  expect(await ada.token()).not.toBe(token);
  clock.advance(10 * MINUTE);
  expect((await ada.get('/poll')).json()).toMatchObject({ who: null });
  await closeApps();
});
