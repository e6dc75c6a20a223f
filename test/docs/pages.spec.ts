import { Controller, Get, UseGuards, type Type } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { AuthGuard, SessionService, type LoginRedirectFilter } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import { visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

const guide = new Markdown('docs/pages.md');

@UseGuards(AuthGuard)
@Controller('members')
class MembersController {
  @Get() members() {}
}

describe.each(platforms)(
  'the filter of docs/pages.md that keeps why a session has ended, on %s',
  (platform) => {
    const { ToLogin } = exportsOf<{ ToLogin: Type<LoginRedirectFilter> }>(guide, 'class ToLogin', {});
    const { controller, ask } = scripted();

    afterEach(closeApps);

    it.each([
      { by: 'APP_FILTER', registration: { providers: [{ provide: APP_FILTER, useClass: ToLogin }] } },
      {
        by: 'useGlobalFilters',
        registration: {
          configure: (nest: App) => void nest.useGlobalFilters(new ToLogin(nest.get(SessionService))),
        },
      },
    ])(
      'L10: tells it to the page to which the visitor is sent, registered by $by',
      async ({ registration }) => {
        const app = await startApp({
          platform,
          controllers: [MembersController, controller],
          ...registration,
        });
        const ada = await visitor(app);
        const id = await ask(ada, (session) => (session.login({ id: 7 }), session.id));
        await app.get(SessionService).registry.end(id, { reason: 'reported stolen' });
        const { status } = await ada.get('/members', { headers: { accept: 'text/html' } });
        const told = await ask(ada, (session) => session.messages('notice'));
        expect({ status, told }).toEqual({ status: 303, told: ['Your session has ended: reported stolen.'] });
      },
    );
  },
);
