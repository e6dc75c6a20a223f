import { Controller, Get, UseGuards, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard, Public, RequireRoles, SessionModule } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import { visitor, type Visitor } from '../support/visitor';

/** Staff have no login of the default instance, so their pages are public as far as the global guard is concerned. */
@Public()
@UseGuards(AuthGuard.for('staff'))
@Controller('staff')
class StaffController {
  @Get() staff() {
    return 'for staff';
  }
  @Public() @Get('door') door() {
    return 'for everybody';
  }
}

@Public()
@Controller('open')
class OpenController {
  @Get() open() {
    return 'for everybody';
  }
  @UseGuards(AuthGuard) @Get('mine') mine() {
    return 'for users';
  }
}

@UseGuards(AuthGuard)
@Controller('heir')
class HeirController extends OpenController {}

@RequireRoles('admin')
@Controller('admin')
class AdminController {
  @UseGuards(AuthGuard) @Public() @Get() admin() {
    return 'for administrators';
  }
}

describe.each(platforms)('@Public() beside a guard on %s', (platform) => {
  let app: App;
  let user: Scripted;
  let staff: Scripted;
  let ada: Visitor;

  beforeAll(async () => {
    user = scripted();
    staff = scripted('staff');
    const open = (controller: Type): Type => (Public()(controller), controller);
    app = await startApp({
      platform,
      imports: [SessionModule.forRoot({ name: 'staff' })],
      controllers: [
        StaffController,
        OpenController,
        HeirController,
        AdminController,
        open(user.controller),
        open(staff.controller),
      ],
      providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
    });
  });
  afterAll(closeApps);
  beforeEach(async () => (ada = await visitor(app)));

  const statusOf = async (path: string): Promise<number> => (await ada.get(path)).status;

  it('opens the global guard, and not the one that stands in the same place', async () => {
    expect(await statusOf('/staff')).toBe(401);
    await user.run(ada, (session) => session.login({ id: 7 }));
    expect(await statusOf('/staff')).toBe(401);
    await staff.run(ada, (session) => session.login({ id: 9 }));
    expect(await statusOf('/staff')).toBe(200);
  });

  it('on a controller opens its handlers', async () => {
    expect(await statusOf('/open')).toBe(200);
  });

  it.each([
    ['a handler with a guard of its own', '/open/mine'],
    ['a class that inherits it', '/heir'],
  ])('on a controller does not open %s', async (_what, path) => {
    expect(await statusOf(path)).toBe(401);
    await user.run(ada, (session) => session.login({ id: 7 }));
    expect(await statusOf(path)).toBe(200);
  });

  it('on a handler opens what its controller closes', async () => {
    expect(await statusOf('/staff/door')).toBe(200);
  });

  it('with a guard on the handler leaves the roles of the controller in force', async () => {
    expect(await statusOf('/admin')).toBe(401);
    await user.run(ada, (session) => session.login({ id: 7 }));
    expect(await statusOf('/admin')).toBe(403);
  });
});
