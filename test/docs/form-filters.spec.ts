import { Controller, Get, Module, Post, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { CsrfGuard, MemorySessionStore, Session, SessionModule } from 'nestjs-tessera';
import { PassportSessions } from 'nestjs-tessera/passport';
import { FaultyStore } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp } from '../support/app';
import { visitor, type Answer } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

const redirectOf = ({ status, headers }: Answer): unknown => ({ status, to: headers.get('location') });

@Controller()
class FormController {
  @Get('notices') notices(@Session() session: Session) {
    return session.messages('notice');
  }
  @Get('token') token(@Session() session: Session) {
    return { token: session.csrfToken() };
  }
  @Post('sign-in') signIn(@Session() session: Session) {
    session.login({ id: 7 });
  }
}

describe.each(platforms)('the filters of forms in the guides on %s', (platform) => {
  afterEach(closeApps);

  it('send the form of a second tab back with a message, and refuse another site', async () => {
    const { OldPageFilter } = exportsOf<{ OldPageFilter: Type }>(
      new Markdown('docs/csrf.md'),
      'class OldPageFilter',
      {},
    );
    const app = await startApp({
      platform,
      options: { csrf: { token: true } },
      controllers: [FormController],
      providers: [
        { provide: APP_GUARD, useClass: CsrfGuard },
        { provide: APP_FILTER, useClass: OldPageFilter },
      ],
    });
    const ada = await visitor(app);
    const body = { _csrf: (await ada.get('/token')).json<{ token: string }>().token };
    const first = await ada.post('/sign-in', body);
    const second = await ada.post('/sign-in', body);
    const notices = (await ada.get('/notices')).json();
    const stranger = await ada.post('/sign-in', body, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect({
      first: first.status,
      second: redirectOf(second),
      notices,
      stranger: stranger.status,
    }).toEqual({
      first: 201,
      second: { status: 303, to: '/' },
      notices: ['The page was out of date. Please try again.'],
      stranger: 403,
    });
  });

  it('show the form of Passport again after a wrong password, and answer 503 when the store fails', async () => {
    const guide = new Markdown('docs/passport.md');
    const { FormLoginController } = exportsOf<Record<string, Type>>(guide, 'class WrongPasswordFilter', {});
    const { LocalStrategy } = exportsOf<Record<string, Type>>(guide, 'class LocalStrategy', {});
    const store = new FaultyStore(new MemorySessionStore());
    @Module({
      imports: [
        SessionModule.forRoot({ store }),
        PassportSessions.forRoot({ principal: ({ id }: { id: number }) => ({ id }) }),
      ],
      providers: [LocalStrategy!],
      controllers: [FormController, FormLoginController!],
    })
    class Root {}
    const app = await startApp({ platform, options: false, imports: [Root] });
    const ada = await visitor(app);
    const wrong = await ada.post('/login', { username: 'ada', password: 'babbage' });
    const notices = (await ada.get('/notices')).json();
    const right = await ada.post('/login', { username: 'ada', password: 'lovelace' });
    store.fail('find');
    const failing = await ada.post('/login', { username: 'ada', password: 'babbage' });
    store.heal();
    expect({ wrong: redirectOf(wrong), notices, right: right.status, failing: failing.status }).toEqual({
      wrong: { status: 303, to: '/login' },
      notices: ['The name or the password is wrong.'],
      right: 201,
      failing: 503,
    });
  });
});
