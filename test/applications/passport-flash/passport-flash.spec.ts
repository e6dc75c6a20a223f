import type { NestExpressApplication } from '@nestjs/platform-express';
import { closeApps, startApp, type App } from '../../support/app';
import { visitor, type Answer, type Visitor } from '../../support/visitor';
import { MeetingStore } from '../support/meeting-store';
import { thiefOf } from '../support/thief';
import { ShelfModule, configure } from './application';

describe('an application with passport-local, flash messages and hbs', () => {
  let app: App;
  let ada: Visitor;
  let store: MeetingStore;

  beforeEach(async () => {
    store = new MeetingStore();
    app = await startApp({
      platform: 'express',
      options: { store },
      imports: [ShelfModule],
      configure: (app) => configure(app as NestExpressApplication),
    });
    ada = await visitor(app);
  });
  afterEach(closeApps);

  const logIn = (who: Visitor, password = 'lovelace'): Promise<Answer> =>
    who.post('/login', { username: 'ada', password });

  /** What a page shows: its heading, its messages, its books. */
  async function look(who: Visitor, path = '/'): Promise<object> {
    const { text } = await who.get(path);
    const all = (tag: RegExp): string[] => [...text.matchAll(tag)].map(([, content]) => content!);
    return {
      heading: all(/<h1>(.*)<\/h1>/g)[0]?.replace('&#x27;', "'"),
      messages: all(/<p class="\w+">(.*?)<\/p>/g),
      shelf: all(/<li>(.*?)<\/li>/g),
    };
  }
  const visitorsShelf = { heading: "A visitor's shelf", messages: [], shelf: [] };
  const adasShelf = { heading: "ada's shelf", messages: [], shelf: [] };

  it('gives no cookie to a visitor who only looks', async () => {
    const { status, cookies } = await ada.get('/');
    expect({ status, cookies }).toEqual({ status: 200, cookies: [] });
  });

  it('L1, L5: logs in with a new token, and keeps what the visitor has put on the shelf', async () => {
    await ada.post('/shelf', { title: 'Emma' });
    const before = await ada.token();
    const { status, headers } = await logIn(ada);
    expect({ status, to: headers.get('location') }).toEqual({ status: 303, to: '/' });
    expect({ new: await look(ada), old: await look(await thiefOf(app, before)) }).toEqual({
      new: { ...adasShelf, messages: ['Welcome, ada.'], shelf: ['Emma'] },
      old: visitorsShelf,
    });
  });

  it('shows a flash message once', async () => {
    await logIn(ada);
    expect({ first: await look(ada), then: await look(ada) }).toEqual({
      first: { ...adasShelf, messages: ['Welcome, ada.'] },
      then: adasShelf,
    });
  });

  it('says what was wrong with a login, and leaves the visitor a visitor', async () => {
    const { status, headers } = await logIn(ada, 'babbage');
    expect({ status, to: headers.get('location') }).toEqual({ status: 303, to: '/login' });
    expect({
      form: await look(ada, '/login'),
      again: await look(ada, '/login'),
      home: await look(ada),
    }).toMatchObject({
      form: { messages: ['Wrong name or password'] },
      again: { messages: [] },
      home: visitorsShelf,
    });
  });

  it('returns after the login to the page that asked for it', async () => {
    const refused = await ada.get('/account');
    const { messages } = (await look(ada, '/login')) as { messages: string[] };
    const { headers } = await logIn(ada);
    const { text } = await ada.get(headers.get('location')!);
    expect({ refused: refused.headers.get('location'), messages, text }).toEqual({
      refused: '/login',
      messages: ['Log in first'],
      text: 'Account 7',
    });
  });

  it('ends the session at logout, and says so in a new one', async () => {
    await ada.post('/shelf', { title: 'Emma' });
    await logIn(ada);
    const before = await ada.token();
    await ada.post('/logout');
    expect({ new: await look(ada), old: await look(await thiefOf(app, before)) }).toEqual({
      new: { ...visitorsShelf, messages: ['Goodbye.'] },
      old: visitorsShelf,
    });
  });

  it('logs all other devices out after a new password', async () => {
    const phone = await visitor(app);
    await logIn(phone);
    await logIn(ada);
    await ada.post('/password');
    expect({ here: await look(ada), phone: await look(phone) }).toEqual({
      here: { ...adasShelf, messages: ['Welcome, ada.', 'Your other devices are logged out.'] },
      phone: visitorsShelf,
    });
  });

  it('R2: keeps each of ten books that are put on the shelf at once', async () => {
    await ada.post('/shelf', { title: '0' });
    const titles = Array.from({ length: 9 }, (_, index) => String(index + 1));
    await Promise.all(titles.map((title) => ada.post('/shelf', { title })));
    const { shelf } = (await look(ada)) as { shelf: string[] };
    expect(shelf.sort()).toEqual(['0', ...titles]);
  });

  it('keeps the shelf of a visitor whose form is sent twice at once', async () => {
    await ada.post('/shelf', { title: 'Emma' });
    const [first, second] = [await ada.twin(), await ada.twin()];
    store.meet(2);
    const both = await Promise.all([logIn(first), logIn(second)]);
    expect(both.map(({ status }) => status)).toEqual([303, 303]);
    const shelf = { ...adasShelf, messages: ['Welcome, ada.'], shelf: ['Emma'] };
    expect({ first: await look(first), second: await look(second) }).toEqual({ first: shelf, second: shelf });
  });
});
