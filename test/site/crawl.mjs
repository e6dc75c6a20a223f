/** How many pages are open at once. */
const TABS = 4;

/**
 * Opens every page that links lead to, from one of them on. Returns what each page has and what is wrong with it, by its path.
 */
export async function crawl(context, start) {
  const pages = new Map();
  const waiting = [start];
  const known = new Set(waiting);
  let busy = 0;

  const visitAll = async (tab) => {
    const complaints = [];
    tab.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    tab.on('pageerror', (error) => complaints.push(error.message));
    while (waiting.length + busy > 0) {
      const path = waiting.shift();
      if (path === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        continue;
      }
      busy++;
      const page = await visit(tab, path);
      pages.set(path, { ...page, complaints: complaints.splice(0) });
      for (const link of page.links ?? []) {
        if (known.has(link.path)) continue;
        known.add(link.path);
        waiting.push(link.path);
      }
      busy--;
    }
  };
  const tabs = await Promise.all(Array.from({ length: TABS }, () => context.newPage()));
  await Promise.all(tabs.map(visitAll));
  return pages;
}

async function visit(tab, path) {
  const response = await tab.goto(path, { waitUntil: 'load' });
  if (response.status() !== 200) return { status: response.status() };
  await tab.waitForFunction(() => document.querySelector('#app').__vue_app__ !== undefined);
  return { status: 200, ...(await tab.evaluate(inspect)) };
}

/** Runs in the page. */
function inspect() {
  const anchors = [...document.querySelectorAll('a[href]')].filter((link) => link.origin === location.origin);
  const links = anchors.map(({ pathname, hash, href }) => ({
    path: pathname,
    anchor: decodeURIComponent(hash.slice(1)),
    href,
  }));
  const texts = [...document.querySelectorAll('.vp-doc :is(p, li, td)')];
  const sizeOf = (element) => parseFloat(getComputedStyle(element).fontSize);
  const isSmall = (element) => sizeOf(element) < (element.closest('table') === null ? 16 : 15);
  return {
    links,
    ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
    brokenImages: [...document.images].filter((image) => image.naturalWidth === 0).map(({ src }) => src),
    width: document.scrollingElement.scrollWidth,
    smallTexts: texts.filter(isSmall).map((text) => `${sizeOf(text)}px: ${text.innerText.slice(0, 60)}`),
  };
}
