import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  AuthGuard,
  Principal,
  Public,
  RequireRoles,
  RequireRolesOf,
  Session,
  SessionModule,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import { visitor, type Visitor } from '../support/visitor';

@Controller('open')
class OpenController {
  @Get() open(@Principal() who: Principal | null) {
    return { who };
  }
  @UseGuards(AuthGuard) @Get('me') me(@Principal() who: Principal) {
    return { who };
  }
  @RequireRoles('admin', 'editor') @Get('edit') edit() {
    return 'edited';
  }
}

@RequireRoles('admin')
@Controller('closed')
class ClosedController {
  @Get() closed() {
    return 'closed';
  }
  @Public() @Get('public') public() {
    return 'public';
  }
  @RequireRoles('editor') @Get('editor') editor() {
    return 'editor';
  }
  @Public() @RequireRoles('editor') @Get('both') both() {
    return 'both';
  }
  @RequireRoles('editor') @Public() @Get('htob') htob() {
    return 'both';
  }
}

@Public()
@Controller('public')
class PublicController {
  @Get() public() {
    return 'public';
  }
  @RequireRoles('admin') @Get('admin') admin() {
    return 'admin';
  }
  @UseGuards(AuthGuard.for('staff')) @Get('of-both') ofBoth() {
    return 'public of every instance';
  }
}

@Controller('staff')
class StaffController {
  @UseGuards(AuthGuard.for('staff')) @Get() staff(
    @Principal({ name: 'staff' }) who: Principal,
    @Session() session: Session,
  ) {
    return { who: who.id, visitor: session.principal };
  }
  @RequireRolesOf('staff', 'boss') @Get('boss') boss() {
    return 'boss';
  }
  @RequireRoles('member') @RequireRolesOf('staff', 'boss') @Get('two') two() {
    return 'two';
  }
  @RequireRolesOf('staff', 'boss') @RequireRoles('member') @Get('owt') owt() {
    return 'two';
  }
}

@RequireRoles('member')
@Controller('members')
class MembersController {
  @RequireRolesOf('staff', 'boss') @Get() both() {
    return 'member and boss';
  }
}

@Controller('fallback')
class FallbackController {
  @Get() get() {
    return 'in';
  }
  @Public() @Post() post() {
    return 'public';
  }
}

/** One handler, which the classes below inherit. */
class Report {
  @Get() report() {
    return 'report';
  }
}

@Public()
@Controller('report/public')
class PublicReport extends Report {}

@Controller('report/login')
class LoginReport extends Report {}

@RequireRoles('admin')
@Controller('report/admin')
class AdminReport extends Report {}

describe.each(platforms)('AuthGuard on %s', (platform) => {
  let app: App;
  let ada: Visitor;
  let session: Scripted;
  let staff: Scripted;

  beforeAll(async () => {
    session = scripted();
    staff = scripted('staff');
    app = await startApp({
      platform,
      imports: [SessionModule.forRoot({ name: 'staff' })],
      controllers: [
        OpenController,
        ClosedController,
        PublicController,
        StaffController,
        MembersController,
        session.controller,
        staff.controller,
      ],
    });
  });
  afterAll(closeApps);
  beforeEach(async () => (ada = await visitor(app)));

  const login = (...roles: string[]): unknown => session.run(ada, (s) => s.login({ id: 7, roles }));
  const staffLogin = (...roles: string[]): unknown => staff.run(ada, (s) => s.login({ id: 9, roles }));
  const statusOf = async (path: string): Promise<number> => (await ada.get(path)).status;
  const statusesOf = async (...paths: string[]): Promise<Record<string, number>> =>
    Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await statusOf(path)] as const)));

  it('W7: lets in who is logged in, and says 401 with a code to others', async () => {
    const refused = await ada.get('/open/me');
    expect({ status: refused.status, body: refused.json() }).toEqual({
      status: 401,
      body: {
        statusCode: 401,
        error: 'Unauthorized',
        code: 'LOGIN_REQUIRED',
        message: 'Log in first',
      },
    });
    expect((await ada.get('/open')).json()).toEqual({ who: null });
    await login('member');
    expect((await ada.get('/open/me')).json()).toEqual({
      who: { id: '7', realm: 'default', roles: ['member'] },
    });
    await session.run(ada, (s) => s.logout());
    expect(await statusOf('/open/me')).toBe(401);
  });

  it('W7: says 403 with a code where a role is missing, and 401 where the login is', async () => {
    expect(await statusOf('/open/edit')).toBe(401);
    await login('member');
    const refused = await ada.get('/open/edit');
    expect({ status: refused.status, body: refused.json() }).toEqual({
      status: 403,
      body: {
        statusCode: 403,
        error: 'Forbidden',
        code: 'ROLE_REQUIRED',
        message: 'Your role does not allow this',
      },
    });
    await session.run(ada, (s) => s.elevate({ roles: ['member', 'editor'] }));
    expect(await statusOf('/open/edit')).toBe(200);
  });

  it('takes a word on the handler for more than one on its controller, and roles for more than Public', async () => {
    expect(await statusOf('/closed/public')).toBe(200);
    expect(await statusOf('/public')).toBe(200);
    const paths = ['/closed', '/closed/editor', '/closed/both', '/closed/htob', '/public/admin'];
    expect(await statusesOf(...paths)).toEqual({
      '/closed': 401,
      '/closed/editor': 401,
      '/closed/both': 401,
      '/closed/htob': 401,
      '/public/admin': 401,
    });
    await login('editor');
    expect(await statusesOf(...paths)).toEqual({
      '/closed': 403,
      '/closed/editor': 200,
      '/closed/both': 200,
      '/closed/htob': 200,
      '/public/admin': 403,
    });
  });

  it('of a named instance asks that instance', async () => {
    await login('boss');
    expect(await statusOf('/staff')).toBe(401);
    expect(await statusOf('/staff/boss')).toBe(401);
    await staffLogin('clerk');
    expect((await ada.get('/staff')).json()).toEqual({
      who: '9',
      visitor: { id: '7', realm: 'default', roles: ['boss'] },
    });
    expect(await statusOf('/staff/boss')).toBe(403);
    await staffLogin('boss');
    expect(await statusOf('/staff/boss')).toBe(200);
    expect(await statusOf('/public/of-both')).toBe(200);
  });

  it.each(['/staff/two', '/staff/owt', '/members'])(
    'asks for the roles of two instances where both are required: %s',
    async (path) => {
      await login('member');
      expect(await statusOf(path)).toBe(401);
      await staffLogin('clerk');
      expect(await statusOf(path)).toBe(403);
      await staffLogin('boss');
      expect(await statusOf(path)).toBe(200);
      await session.run(ada, (s) => s.elevate({ roles: [] }));
      expect(await statusOf(path)).toBe(403);
    },
  );
});

describe.each(platforms)('AuthGuard everywhere on %s', (platform) => {
  afterAll(closeApps);

  it.each(['APP_GUARD', 'useGlobalGuards'])('by %s closes what is not public', async (way) => {
    const app = await startApp({
      platform,
      controllers: [FallbackController],
      providers: way === 'APP_GUARD' ? [{ provide: APP_GUARD, useClass: AuthGuard }] : [],
      configure: (it) => void (way === 'APP_GUARD' || it.useGlobalGuards(new AuthGuard())),
    });
    const ada = await visitor(app);
    expect((await ada.get('/fallback')).status).toBe(401);
    expect((await ada.post('/fallback')).status).toBe(201);
  });
});

describe.each(platforms)('AuthGuard on a handler that several controllers inherit, on %s', (platform) => {
  afterEach(closeApps);

  const expected = { public: 200, login: 401, admin: 401 };
  const names = Object.keys(expected) as (keyof typeof expected)[];

  it.each([['the open one first', names] as const, ['the open one last', names.toReversed()] as const])(
    'asks of each what its own decorators say: %s',
    async (_order, asked) => {
      const app = await startApp({
        platform,
        controllers: [PublicReport, LoginReport, AdminReport],
        providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
      });
      const ada = await visitor(app);
      const statuses: Record<string, number> = {};
      for (const name of asked) statuses[name] = (await ada.get(`/report/${name}`)).status;
      expect(statuses).toEqual(expected);
    },
  );
});

describe('@RequireRoles', () => {
  it('without a role is refused where it stands', () => {
    expect(() => (RequireRoles as unknown as () => void)()).toThrow(
      expect.objectContaining({ code: 'SESSION_OPTIONS_INVALID' }),
    );
  });
});
