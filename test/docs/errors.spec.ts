import { Body, Controller, Delete, Get, Post, type Type } from '@nestjs/common';
import { MemorySessionStore, Session } from 'nestjs-tessera';
import { FaultyStore } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp } from '../support/app';
import '../support/session-data';
import { visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

const guide = new Markdown('docs/errors.md');

@Controller('values')
class ValuesController {
  @Post() set(@Session() session: Session, @Body() { text }: { text: string }) {
    session.set('value', text);
  }
  @Get() get(@Session() session: Session) {
    return { value: session.get('value') };
  }
  @Delete() elevate(@Session() session: Session) {
    session.elevate();
  }
}

describe.each(platforms)('the exception filter of docs/errors.md on %s', (platform) => {
  const { ErrorsModule } = exportsOf<{ ErrorsModule: Type }>(guide, 'class SessionErrorFilter', {});

  afterEach(closeApps);

  it('answers a failing store, what a client causes, and mistakes', async () => {
    const store = new FaultyStore(new MemorySessionStore());
    const app = await startApp({
      platform,
      options: { store, maxBytes: 1000 },
      imports: [ErrorsModule],
      controllers: [ValuesController],
    });
    const ada = await visitor(app);
    await ada.post('/values', { text: 'short' });
    const large = await ada.post('/values', { text: 'x'.repeat(2000) });
    const mistake = await ada.request('DELETE', '/values');
    store.fail();
    const failing = await ada.get('/values');
    store.heal();
    expect({
      large: { status: large.status, body: large.json() },
      mistake: { status: mistake.status, body: mistake.json() },
      failing: {
        status: failing.status,
        retryAfter: failing.headers.get('retry-after'),
        body: failing.json(),
      },
      healed: (await ada.get('/values')).json(),
    }).toEqual({
      large: { status: 413, body: { statusCode: 413, code: 'SESSION_TOO_LARGE' } },
      mistake: { status: 500, body: { statusCode: 500, message: 'Internal server error' } },
      failing: {
        status: 503,
        retryAfter: '5',
        body: { statusCode: 503, code: 'SESSION_STORE_UNAVAILABLE', message: 'Service Unavailable' },
      },
      healed: { value: 'short' },
    });
  });
});
