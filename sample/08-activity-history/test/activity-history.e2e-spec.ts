import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { AppModule } from '../src/app.module';
import { Browser, PASSWORD } from './browser';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';

describe('a site with a history of the pages seen', () => {
  let app: NestExpressApplication;
  let visitor: Browser;

  beforeEach(async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication<NestExpressApplication>({ logger: false });
    await app.listen(0, '127.0.0.1');
    visitor = await open();
  });

  afterEach(() => app.close());

  const open = async (userAgent?: string) => new Browser(await app.getUrl(), userAgent);
  const logIn = (who: Browser, name: string) => who.send('/login', { name, password: PASSWORD });
  /** The pages of a list, the newest first. */
  const pagesIn = (text: string) => [...text.matchAll(/<li>(\w+)/g)].map(([, page]) => page);
  const historyOf = async (who: Browser) => pagesIn((await who.open('/history')).text);

  it('lists the pages that this visitor has seen, the newest first, and those of no other', async () => {
    const other = await open();
    await other.open('/fifth');
    await visitor.open('/');
    await visitor.open('/first');
    await visitor.open('/second');
    expect(await historyOf(visitor)).toEqual(['second', 'first', 'home']);
  });

  it('shows the history on every page, that page included', async () => {
    await visitor.open('/third');
    const { text } = await visitor.open('/fourth');
    expect(pagesIn(text)).toEqual(['fourth', 'third']);
  });

  it('notes when a page was seen', async () => {
    const before = Date.now();
    const { text } = await visitor.open('/first');
    const at = Date.parse(/<time datetime="(.+?)"/.exec(text)![1]!);
    expect({ inTime: before <= at && at <= Date.now() }).toEqual({ inTime: true });
  });

  it('loses none of the pages that are opened at the same time', async () => {
    await visitor.open('/');
    await Promise.all(
      ['first', 'second', 'third', 'fourth', 'fifth'].map((page) => visitor.open(`/${page}`)),
    );
    expect([...(await historyOf(visitor))].sort()).toEqual([
      'fifth',
      'first',
      'fourth',
      'home',
      'second',
      'third',
    ]);
  });

  it('keeps the last twenty', async () => {
    await visitor.open('/fifth');
    for (let count = 0; count < 20; count++) await visitor.open('/first');
    expect(await historyOf(visitor)).toEqual(Array.from({ length: 20 }, () => 'first'));
  });

  it('notes no page that there is not', async () => {
    const { status } = await visitor.open('/sixth');
    expect({ status, history: await historyOf(visitor) }).toEqual({ status: 404, history: [] });
  });

  it('forgets them when it is told to, and not when another site says so', async () => {
    await visitor.open('/first');
    const foreign = await visitor.send('/history/clear', {}, 'https://evil.example');
    const kept = await historyOf(visitor);
    await visitor.send('/history/clear');
    expect({ foreign: foreign.status, kept, left: await historyOf(visitor) }).toEqual({
      foreign: 403,
      kept: ['first'],
      left: [],
    });
  });

  it('shows a user what each of their devices has seen, and nothing of other users', async () => {
    const desktop = await open(FIREFOX);
    const phone = await open(SAFARI);
    await desktop.open('/first'); // before the login, which keeps it
    await logIn(desktop, 'ada');
    await logIn(phone, 'ada');
    await phone.open('/second');
    await logIn(visitor, 'bert');
    await visitor.open('/third');
    const { text } = await desktop.open('/devices');
    const devices = text
      .split('<h2>')
      .slice(1)
      .map((part) => ({ name: part.slice(0, part.indexOf('<')), pages: pagesIn(part) }))
      .sort((one, other) => one.name.localeCompare(other.name));
    expect(devices).toEqual([
      { name: 'Firefox on Linux', pages: ['first'] },
      { name: 'Safari on iOS', pages: ['second'] },
    ]);
  });

  it('shows devices to a user only, and leads a visitor to the login', async () => {
    const { status, headers } = await visitor.open('/devices');
    expect({ status, location: headers.get('location') }).toEqual({ status: 303, location: '/login' });
  });

  it('says of a wrong password that it is wrong, and leads back to where one wanted to go', async () => {
    await visitor.open('/devices');
    await visitor.send('/login', { name: 'ada', password: 'guesswork' });
    const { text } = await visitor.open('/login');
    const { headers } = await logIn(visitor, 'ada');
    expect({ refused: text.includes('do not belong together'), location: headers.get('location') }).toEqual({
      refused: true,
      location: '/devices',
    });
  });

  it('begins a new history after the logout', async () => {
    await logIn(visitor, 'ada');
    await visitor.open('/first');
    await visitor.send('/logout');
    expect(await historyOf(visitor)).toEqual([]);
  });
});
