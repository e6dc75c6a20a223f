// The documentation site in a browser, as `npm run docs:build` has built it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { ARGUMENTS, findChromium } from '../support/chromium.js';
import { crawl } from './crawl.mjs';
import { built, serveSite } from '../../docs/site/server.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const DESKTOP = { viewport: { width: 1440, height: 900 } };

let site;
let browser;

before(async () => {
  assert.ok(existsSync(built), 'The site is not built: npm run docs:build');
  assert.ok(
    findChromium() !== null,
    'Chromium is needed: install the package chromium, or set CHROMIUM_PATH',
  );
  site = await serveSite();
  browser = await chromium.launch({ executablePath: findChromium(), args: ARGUMENTS });
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** Opens a page of the site in a window of its own, and closes that after the work. */
async function onPage(device, path, work) {
  const context = await browser.newContext({ ...device, baseURL: site.url });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  try {
    await page.goto(path);
    // Buttons work once the page has its scripts.
    await page.waitForFunction(() => document.querySelector('#app').__vue_app__ !== undefined);
    await work(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

describe('on a phone', () => {
  let pages;
  before(async () => {
    const context = await browser.newContext({ ...PHONE, baseURL: site.url });
    pages = await crawl(context, '/');
    await context.close();
  });

  it('has the guides, the samples and the reference', () => {
    const paths = [...pages.keys()];
    const some = ['/', '/docs/', '/docs/login.html', '/sample/01-site/', '/CHANGELOG.html', '/api/'];
    assert.deepEqual(
      some.filter((path) => !paths.includes(path)),
      [],
    );
    assert.ok(paths.filter((path) => path.startsWith('/api/')).length > 100);
  });

  it('leads somewhere with every link and anchor', () => {
    const dead = (from, { path, anchor }) =>
      pages.get(path)?.status !== 200 || (anchor !== '' && !pages.get(path).ids.includes(anchor));
    assert.deepEqual(
      found(({ links = [] }, from) => links.filter((link) => dead(from, link)).map(({ href }) => href)),
      [],
    );
  });

  it('shows every image', () => {
    assert.deepEqual(
      found(({ brokenImages = [] }) => brokenImages),
      [],
    );
  });

  it('reports no error in the console', () => {
    assert.deepEqual(
      found(({ complaints }) => complaints),
      [],
    );
  });

  it('scrolls no page sideways', () => {
    assert.deepEqual(
      found(({ width }) => (width > PHONE.viewport.width ? [width] : [])),
      [],
    );
  });

  it('has text of 16 pixels, in tables of 15', () => {
    assert.deepEqual(
      found(({ smallTexts = [] }) => smallTexts),
      [],
    );
  });

  it('opens the menu, which leads to another page', () =>
    onPage(PHONE, '/docs/login.html', async (page) => {
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('navigation', { name: 'Sidebar' }).getByRole('link', { name: 'Redis' }).click();
      await page.waitForURL('**/docs/redis.html');
      await page.getByRole('heading', { level: 1, name: 'Redis' }).waitFor();
    }));

  /** What is wrong, after the path of its page. */
  function found(faultsOf) {
    return [...pages].flatMap(([path, page]) => faultsOf(page, path).map((fault) => `${path}: ${fault}`));
  }
});

describe('on a desktop', () => {
  it('finds what is searched for', () =>
    onPage(DESKTOP, '/', async (page) => {
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByRole('searchbox').fill('CSRF');
      await page.locator('#localsearch-list a[href^="/docs/csrf.html"]').first().click();
      await page.getByRole('heading', { level: 1, name: /CSRF/ }).waitFor();
    }));

  it('has lines of at most 100 characters', () =>
    onPage(DESKTOP, '/docs/login.html', async (page) => {
      const longest = await page.evaluate(() => {
        const paragraphs = [...document.querySelectorAll('.vp-doc p')];
        const linesOf = (each) => each.clientHeight / parseFloat(getComputedStyle(each).lineHeight);
        return Math.max(...paragraphs.map((each) => each.innerText.length / Math.round(linesOf(each))));
      });
      assert.ok(longest <= 100, `the longest line has ${longest} characters`);
    }));

  for (const [preferred, chosen] of [
    ['light', 'dark'],
    ['dark', 'light'],
  ])
    it(`changes from ${preferred} to ${chosen}, and plots with it`, () =>
      onPage({ ...DESKTOP, colorScheme: preferred }, '/docs/benchmarks-appendix.html', async (page) => {
        const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
        assert.equal(await scheme(), preferred);
        assert.ok((await contrastOfTitle(page)) > 0.6);
        await page.getByRole('switch', { name: `Switch to ${chosen} theme` }).click();
        await page.waitForFunction(
          (wanted) => getComputedStyle(document.documentElement).colorScheme === wanted,
          chosen,
        );
        // The colors change slowly.
        await page.waitForTimeout(600);
        assert.ok((await contrastOfTitle(page)) > 0.6);
      }));
});

/** Returns how much the title of the first plot differs from what is behind it, from 0 to 1. */
async function contrastOfTitle(page) {
  const plot = page.locator('.vp-doc img[src*=".svg"]').first();
  await plot.scrollIntoViewIfNeeded();
  const { x, y, width } = await plot.boundingBox();
  const picture = await page.screenshot({ clip: { x, y, width, height: 26 } });
  return page.evaluate(
    async (source) => {
      const image = Object.assign(new Image(), { src: source });
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), {
        width: image.width,
        height: image.height,
      });
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let [darkest, brightest] = [255, 0];
      for (let at = 0; at < data.length; at += 4) {
        darkest = Math.min(darkest, data[at]);
        brightest = Math.max(brightest, data[at]);
      }
      return (brightest - darkest) / 255;
    },
    `data:image/png;base64,${picture.toString('base64')}`,
  );
}
