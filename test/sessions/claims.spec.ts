import { Controller, ForbiddenException, Get, UseGuards, type ExecutionContext } from '@nestjs/common';
import { AuthGuard, Principal, Public, RequireLevel, RequirePending, type Session } from 'nestjs-tessera';
import { closeApps, platforms, startApp } from '../support/app';
import { waysToKeep } from '../support/kept';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';

const claims = { tenant: 'acme', permissions: ['read', 'write'], limits: { seats: 5, trial: null } };
const ada = { id: 7, roles: ['member'], claims };

@Controller()
class PagesController {
  @UseGuards(AuthGuard) @Get('me') me(@Principal() me: Principal) {
    return me;
  }
  @UseGuards(AuthGuard) @Get('read') read() {
    return 'read';
  }
  @RequireLevel(2) @Get('delete') delete() {
    return 'delete';
  }
  @RequirePending() @Get('code') code() {
    return 'code';
  }
  @UseGuards(AuthGuard) @Get('throw') throw() {
    return 'throw';
  }
}

@Public()
@Controller('open')
class OpenController {
  @Get() open() {
    return 'open';
  }
}

describe.each(platforms)('claims of a principal on %s', (platform) => {
  describe.each(waysToKeep)('%s', (_how, kept) => {
    let session: Scripted;
    let person: Visitor;
    let asked: object[];

    beforeEach(async () => {
      asked = [];
      session = scripted();
      const app = await startApp({
        platform,
        options: {
          ...kept(),
          authorize: async (principal, context: ExecutionContext) => {
            const { name } = context.getHandler();
            asked.push({ id: principal.id, name });
            if (name === 'throw') throw new ForbiddenException({ statusCode: 403, code: 'NO_SUBSCRIPTION' });
            const { permissions = [] } = (principal.claims ?? {}) as { permissions?: readonly string[] };
            return name === 'me' || permissions.includes(name);
          },
        },
        controllers: [PagesController, OpenController, session.controller],
      });
      person = await visitor(app);
    });
    afterEach(() => closeApps());

    const claimsOf = (who = person) => session.ask(who, (s) => s.principal?.claims ?? null);
    const answer = async (path: string) => {
      const { status, text } = await person.get(path);
      return status === 200 ? text : `${status} ${(JSON.parse(text) as { code: string }).code}`;
    };

    it('come back with the principal, as they were', async () => {
      await session.run(person, (s) => s.login(ada));
      expect((await person.get('/me')).json()).toEqual({
        id: '7',
        realm: 'default',
        roles: ['member'],
        claims,
      });
    });

    it('are frozen with all that they contain, in the request of the login and later', async () => {
      const frozenIn = (s: Session): boolean[] => {
        const { claims: found } = s.principal as { claims?: typeof claims };
        return [found, found?.permissions, found?.limits].map((part) => Object.isFrozen(part));
      };
      const mine = structuredClone(claims);
      const first = await session.ask(person, (s) => {
        s.login({ id: 7, claims: mine });
        mine.permissions.push('admin');
        return frozenIn(s);
      });
      const later = await session.ask(person, frozenIn);
      expect({ first, later, claims: await claimsOf() }).toEqual({
        first: [true, true, true],
        later: [true, true, true],
        claims,
      });
    });

    it.each<[string, (s: Session) => void]>([
      ['elevate()', (s) => s.elevate({ roles: ['admin'] })],
      ['a rotation', (s) => s.rotateToken()],
      ['a renewal', (s) => s.renewToken()],
      [
        'an impersonation and its end',
        (s) => (s.actAs({ id: 8, claims: { tenant: 'other' } }), s.stopActing()),
      ],
    ])('stay after %s', async (_way, work) => {
      await session.run(person, (s) => s.login(ada));
      await session.run(person, work);
      expect(await claimsOf()).toEqual(claims);
    });

    it('go with the login: another one has its own, or none', async () => {
      await session.run(person, (s) => s.login(ada));
      await session.run(person, (s) => s.login({ id: 7 }));
      const none = await claimsOf();
      await session.run(person, (s) => s.login({ id: 7, claims: { tenant: 'other' } }));
      expect({ none, other: await claimsOf() }).toEqual({ none: null, other: { tenant: 'other' } });
    });

    it('belong to who is acted as, and those of the real principal to the actor', async () => {
      await session.run(person, (s) => s.login(ada));
      await session.run(person, (s) => s.actAs({ id: 8, claims: { tenant: 'other' } }));
      expect(await session.ask(person, (s) => [s.principal?.claims, s.actor?.claims])).toEqual([
        { tenant: 'other' },
        claims,
      ]);
    });

    it('are JSON values only', async () => {
      const circle: Record<string, unknown> = {};
      circle['self'] = circle;
      const deep = JSON.parse(`${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`) as object;
      const bad = [
        { at: new Date(0) },
        { n: 1n },
        { n: NaN },
        { n: -0 },
        { none: undefined },
        { call: () => 0 },
        new Map(),
        circle,
        deep,
        null,
        'text',
        ['list'],
        () => 0,
      ];
      const codes = await session.ask(person, (s) =>
        bad.map((each) => {
          try {
            s.login({ id: 7, claims: each as never });
            return 'accepted';
          } catch (error) {
            return (error as { code?: string }).code;
          }
        }),
      );
      expect({ codes: new Set(codes), principal: await claimsOf() }).toEqual({
        codes: new Set(['PRINCIPAL_INVALID']),
        principal: null,
      });
    });

    it('may have any names and texts', async () => {
      const odd = JSON.parse('{"__proto__":{"x":1},"constructor":"a\\u0000\\ud800","":[]}') as object;
      await session.run(person, (s) => s.login({ id: 7, claims: odd as never }));
      const found = await session.ask(person, (s) => JSON.stringify(s.principal?.claims));
      expect(found).toBe(JSON.stringify(odd));
    });

    it('are what authorize decides by, after the login, the role and the level', async () => {
      const visiting = [await answer('/read'), await answer('/open')];
      await session.run(person, (s) => s.login(ada, { pending: true }));
      const pending = [await answer('/code'), await answer('/read')];
      const before = asked.splice(0);
      await session.run(person, (s) => s.elevate());
      const allowed = [await answer('/read'), await answer('/delete'), await answer('/throw')];
      await session.run(person, (s) => s.login({ id: 8, claims: { permissions: ['delete'] } }));
      expect({ visiting, pending, before, allowed, other: await answer('/delete'), asked }).toEqual({
        visiting: ['401 LOGIN_REQUIRED', 'open'],
        pending: ['code', '401 LOGIN_PENDING'],
        before: [],
        allowed: ['read', '403 NOT_AUTHORIZED', '403 NO_SUBSCRIPTION'],
        other: '401 LEVEL_REQUIRED',
        asked: ['read', 'delete', 'throw'].map((name) => ({ id: '7', name })),
      });
    });
  });
});
