import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** On the package's source, under the names that a store's author imports. */
const alias = [
  { find: /^nestjs-tessera$/, replacement: at('../../lib/index.ts') },
  { find: /^nestjs-tessera\/testing$/, replacement: at('../../lib/testing/index.ts') },
];

const cacheDir = at('../../node_modules/.vite');

const project = (name, options) => ({
  cacheDir,
  resolve: { alias },
  test: { name, root: at('.'), include: [`${name}.test.ts`], ...options },
});

export default {
  root: at('.'),
  cacheDir,
  test: { projects: [project('runner'), project('globals', { globals: true }), project('broken')] },
};
