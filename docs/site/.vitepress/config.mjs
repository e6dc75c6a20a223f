import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { forSite, slugify } from '../markdown.mjs';
import { excluded, rewritten, root } from '../pages.mjs';
import { book, reference } from '../sidebar.mjs';

const { version, description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Four tiles of a mosaic. */
const ICON =
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path fill='#3451b2' d='M1 1h6v6H1zM9 9h6v6H9z'/><path fill='#9aa9e6' d='M9 1h6v6H9zM1 9h6v6H1z'/></svg>";

/** @type {import('vitepress').UserConfig<import('vitepress').DefaultTheme.Config>} */
export default {
  title: 'nestjs-tessera',
  description,
  lang: 'en-US',
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],

  srcDir: '../..',
  srcExclude: excluded,
  rewrites: rewritten,
  // Guides name the addresses of applications on the reader's machine.
  ignoreDeadLinks: 'localhostLinks',
  markdown: { config: forSite, anchor: { slugify } },
  vite: {
    plugins: [{ name: 'site:vue', enforce: 'pre', resolveId: resolveVue }],
    // The index of the search is loaded by the first search.
    build: { chunkSizeWarningLimit: 2000 },
  },

  themeConfig: {
    nav: [
      { text: 'Quick start', link: '/docs/quick-start' },
      { text: 'Guides', link: '/docs/', activeMatch: '^/docs/(?!quick-start)' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
      { text: version, link: '/CHANGELOG' },
    ],
    sidebar: { '/api/': reference(), '/': book() },
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        _render: renderForSearch,
        miniSearch: {
          searchOptions: {
            // Guides come before the reference of what they explain.
            boostDocument: (id) => (id.startsWith('/docs/') ? 3 : 1),
          },
        },
      },
    },
  },
};

/** Pages are rendered with the Vue of the site. From the folders that they are in, Node would find none. */
function resolveVue(id, _importer, { ssr = false }) {
  return ssr && /^vue(?:\/server-renderer)?$/.test(id) ? { id, external: true } : null;
}

/** In the reference, a result is a member: headings such as "Returns" are no results of their own. */
function renderForSearch(source, env, md) {
  const html = md.render(source, env);
  return env.relativePath.startsWith('docs/site/api/') ? html.replace(/<h([4-6])\b.*?<\/h\1>/g, '') : html;
}
