import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `npm run docs:build` writes the site. */
export const built = join(dirname(fileURLToPath(import.meta.url)), '.vitepress/dist');

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Serves the built site to this machine only, as any server of static files would. Without a port, or when it is taken, it chooses one. */
export async function serveSite(port = 0) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1');
    const path = pathOf(pathname);
    readFile(path).then(
      (content) => {
        response.setHeader('Content-Type', TYPES[extname(path)] ?? 'text/plain');
        // Their names change with their contents.
        if (pathname.startsWith('/assets/'))
          response.setHeader('Cache-Control', 'max-age=31536000, immutable');
        response.end(content);
      },
      () => sendMissing(response),
    );
  });
  await listen(server, port).catch(() => listen(server, 0));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** A path has no way out of the folder: normalization takes out what leads above its root. */
function pathOf(pathname) {
  try {
    const path = join(built, normalize(decodeURIComponent(pathname)));
    return pathname.endsWith('/') ? join(path, 'index.html') : path;
  } catch {
    // Not a path at all. The folder itself is no file, so that nothing is found.
    return built;
  }
}

async function sendMissing(response) {
  const page = await readFile(join(built, '404.html'), 'utf8').catch(() => 'Not found');
  response.writeHead(404, { 'Content-Type': TYPES['.html'] }).end(page);
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
