import { Controller, Get, Header } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { closeApps, platforms, startApp } from '../support/app';
import { visitor } from '../support/visitor';

@Controller()
class PagesController {
  @Header('CDN-Cache-Control', 'public, max-age=600')
  @Header('Surrogate-Control', 'max-age=600')
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
}

/** A cache that hands one visitor's Set-Cookie to the next puts both into one session, and then one of them logs in. */
describe.each(platforms)('a cache with a control field of its own, on %s,', (platform) => {
  afterEach(closeApps);

  it('C11: does not store an answer that sets the cookie, and none is added', async () => {
    const app = await startApp({ platform, controllers: [PagesController] });
    const { headers, cookies } = await (await visitor(app)).get('/begins');
    expect(cookies).toHaveLength(1);
    expect(Object.fromEntries([...headers].filter(([name]) => /cache-control|surrogate/.test(name)))).toEqual(
      {
        'cache-control': 'no-store',
        'cdn-cache-control': 'no-store',
        'surrogate-control': 'no-store',
      },
    );
  });

  it('C11: keeps what the application has forbidden already, and what sets no cookie', async () => {
    const app = await startApp({ platform, controllers: [PagesController] });
    expect((await (await visitor(app)).get('/careful')).headers.get('cdn-cache-control')).toBe('private');
    const read = await (await visitor(app)).get('/reads');
    expect(read.headers.get('cdn-cache-control')).toBe('public, max-age=600');
    expect(read.headers.get('vary')).toMatch(/cookie/i);
  });
});
