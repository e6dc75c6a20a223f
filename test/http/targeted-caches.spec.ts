import { Controller, Get, Header, Post } from '@nestjs/common';
import { Principal, Session } from 'nestjs-tessera';
import { closeApps, platforms, startApp } from '../support/app';
import { visitor } from '../support/visitor';

@Controller()
class PagesController {
  @Header('CDN-Cache-Control', 'public, max-age=600')
  @Header('Surrogate-Control', 'max-age=600')
  @Header('X-LiteSpeed-Cache-Control', 'public, max-age=600')
  @Header('Edge-Control', 'max-age=600')
  @Header('X-Accel-Expires', '600')
  @Get('begins')
  begins(@Session() session: Session): string {
    session.flash('notice', 'A session begins here.');
    return 'begins';
  }

  @Header('CDN-Cache-Control', 'private')
  @Get('careful')
  careful(@Session() session: Session): string {
    session.flash('notice', 'A session begins here.');
    return 'careful';
  }

  @Header('CDN-Cache-Control', 'public, max-age=600')
  @Get('reads')
  reads(@Session() session: Session): string {
    return session.isNew ? 'a visitor' : 'known';
  }

  @Post('login')
  login(@Session() session: Session): void {
    session.login({ id: 'ada' });
  }

  @Get('personal')
  personal(@Principal() user: Principal | null): string {
    return `Hello ${user?.id}`;
  }

  @Header('Cache-Control', 'max-age=60')
  @Get('said')
  said(@Principal() user: Principal | null): string {
    return `Hello ${user?.id}`;
  }
}

/** A cache that hands one visitor's Set-Cookie to the next puts both into one session, and then one of them logs in. */
describe.each(platforms)('a cache with a control field of its own, on %s,', (platform) => {
  afterEach(closeApps);

  it('C11: does not store an answer that sets the cookie, and none is added', async () => {
    const app = await startApp({ platform, controllers: [PagesController] });
    const { headers, cookies } = await (await visitor(app)).get('/begins');
    expect(cookies).toHaveLength(1);
    expect(Object.fromEntries([...headers].filter(([name]) => /-control|x-accel/.test(name)))).toEqual({
      'cache-control': 'no-store',
      'cdn-cache-control': 'no-store',
      'surrogate-control': 'no-store',
      'x-litespeed-cache-control': 'no-store',
      'edge-control': 'no-store',
      'x-accel-expires': '0',
    });
  });

  it('C11: keeps what the application has forbidden already, and what sets no cookie', async () => {
    const app = await startApp({ platform, controllers: [PagesController] });
    expect((await (await visitor(app)).get('/careful')).headers.get('cdn-cache-control')).toBe('private');
    const read = await (await visitor(app)).get('/reads');
    expect(read.headers.get('cdn-cache-control')).toBe('public, max-age=600');
    expect(read.headers.get('vary')).toMatch(/cookie/i);
  });

  it.each([
    { path: '/personal', loggedIn: true, control: 'private' },
    { path: '/personal', loggedIn: false, control: null },
    { path: '/said', loggedIn: true, control: 'max-age=60' },
  ])('C15, W26: is told $control of $path, logged in: $loggedIn', async ({ path, loggedIn, control }) => {
    const app = await startApp({ platform, controllers: [PagesController] });
    const ada = await visitor(app);
    if (loggedIn) await ada.post('/login');
    const { headers, text } = await ada.get(path);
    expect({ control: headers.get('cache-control'), text }).toEqual({
      control,
      text: `Hello ${loggedIn ? 'ada' : undefined}`,
    });
  });
});
