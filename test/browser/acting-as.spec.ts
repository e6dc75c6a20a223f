import { Controller, Get, Header, Post, UseGuards } from '@nestjs/common';
import { chromium, type Browser, type BrowserContext } from 'playwright-core';
import {
  AuthGuard,
  Principal,
  Session,
  bearer,
  type LoggedInPrincipal,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { actingAs } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { describeWithChromium } from '../support/browser';

const ADA = { id: 7, roles: ['admin'] };

@Controller()
class AccountController {
  @UseGuards(AuthGuard)
  @Get('me')
  me(@Principal() { id, roles }: LoggedInPrincipal): string {
    return `${id} ${roles.join()}`;
  }

  @Header('content-type', 'text/html')
  @Get('form')
  form(): string {
    return '<form method="post" action="/elevate"><button>Elevate</button></form>';
  }

  @Post('elevate')
  elevate(@Session() session: Session): string {
    session.elevate({ roles: ['root'] });
    return 'done';
  }
}

describeWithChromium('a client of actingAs in Playwright', (_open, launch) => {
  let chrome: Browser;
  let context: BrowserContext | undefined;

  beforeAll(async () => {
    chrome = await chromium.launch(launch);
  }, 60_000);
  afterEach(() => context?.close());
  afterEach(closeApps);
  afterAll(() => chrome?.close());

  describe.each(platforms)('with an application on %s', (platform) => {
    const start = async (options: SessionModuleOptions = {}): Promise<{ app: App; url: string }> => {
      const app = await startApp({ platform, options, controllers: [AccountController] });
      return { app, url: await app.getUrl() };
    };
    const textOf = async (url: string): Promise<string> => {
      const page = await context!.newPage();
      await page.goto(url);
      return page.innerText('body');
    };

    it('is logged in by its cookies, and gets the token that replaces its own', async () => {
      const { app, url } = await start();
      const ada = await actingAs(app, ADA);
      context = await chrome.newContext();
      await context.addCookies(ada.cookies(url));
      const before = await textOf(`${url}/me`);
      const page = await context.newPage();
      await page.goto(`${url}/form`);
      await page.getByRole('button').click();
      await page.getByText('done').waitFor();
      const [cookie] = await context.cookies();
      expect({ before, after: await textOf(`${url}/me`), isNew: cookie!.value !== ada.token }).toEqual({
        ...{ before: '7 admin', after: '7 root', isNew: true },
      });
    });

    it('is logged in by its cookies as a state of storage', async () => {
      const { app, url } = await start({ rememberMe: { lifetime: '1h' } });
      const ada = await actingAs(app, ADA, { rememberMe: true });
      context = await chrome.newContext({ storageState: { cookies: ada.cookies(url), origins: [] } });
      expect(await textOf(`${url}/me`)).toBe('7 admin');
    });

    it('is logged in by a header', async () => {
      const { app, url } = await start({ transport: bearer() });
      const ada = await actingAs(app, ADA);
      context = await chrome.newContext({ extraHTTPHeaders: ada.headers });
      expect(await textOf(`${url}/me`)).toBe('7 admin');
    });
  });
});
