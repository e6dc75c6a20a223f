// Which Markdown files are pages of the site, and where a link between them leads.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root, where the pages are. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The reference of the API, as `typedoc` writes it. */
const API = 'docs/site/api/';

const PAGES = [/^[^/]+\.md$/, /^docs\/[^/]+\.md$/, /^sample\/[^/]+\/README\.md$/, /^bench\/[^/]+\.md$/];

/** Folders that have pages, and others in them that have none. */
const FOLDERS = {
  docs: ['!(site)/**/*', 'site/*.md'],
  sample: ['*/*/**/*', '*/!(README).md'],
  bench: ['*/**/*'],
};

/** What VitePress must not take for a page: what is none of `PAGES` and not of the reference. */
export const excluded = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => (FOLDERS[name] ?? ['**/*']).map((pattern) => `${name}/${pattern}`));

/** Returns the path of a page in the site: a README is the page of its folder, and the reference stands beside the guides. */
export function rewritten(path) {
  const moved = path.startsWith(API) ? `api/${path.slice(API.length)}` : path;
  return moved.replace(/(^|\/)README\.md$/, '$1index.md');
}

/**
 * Returns where a link leads.
 * @param from the file that has it, from the root
 * @returns the link as the site has it; `null` for what GitHub shows and the site does not, such as a source file
 */
export function resolveLink(from, link) {
  if (/^(?:[a-z][a-z0-9+.-]*:|#|\/)/i.test(link)) return link;
  const [path, ...fragment] = decodeURI(link).split(/(?=[#?])/);
  const target = pageAt(posix.join(posix.dirname(from), path));
  return target === null ? null : ['/', rewritten(target), ...fragment].join('');
}

/** Returns the file from the root that `path` names, which may be a folder with a README. */
function pageAt(path) {
  const file = path.replace(/\/$/, '');
  if (isFolder(file)) return pageAt(posix.join(file, 'README.md'));
  const isPage = file.startsWith(API) || PAGES.some((pattern) => pattern.test(file));
  // A page that does not exist stays a link, so that the build finds it.
  return isPage && (file.endsWith('.md') || existsSync(join(root, file))) ? file : null;
}

function isFolder(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
