// A fresh process that imports or starts something once.
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { answer } from './answer.mjs';

const require = createRequire(import.meta.url);

answer({
  /** What importing one entry takes, when what came `before` is there already. */
  time: async ({ entry, before }) => {
    for (const name of before) await import(name);
    return timed(() => import(entry));
  },
  /** Modules that it loads. */
  count: async ({ entry, before }) => {
    for (const name of before) await import(name);
    const already = loadedModules(before).length;
    await import(entry);
    return loadedModules(before).length - already;
  },
  /** What it takes until a Nest application listens, from before it was imported. */
  listen: async (how) => {
    let app;
    const time = await timed(async () => (app = await listening(how)));
    await app.close();
    return time;
  },
});

/** CPU time of all threads, and the time that passed, in milliseconds. */
async function timed(work) {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await work();
  const passed = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / 1000, passed };
}

async function listening({ platform, hasSessions }) {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const imports = [];
  if (hasSessions) {
    const { SessionModule } = await import('nestjs-tessera');
    imports.push(SessionModule.forRoot());
  }
  class App {}
  Module({ imports })(App);
  const app = await NestFactory.create(App, await adapterOf(platform), { logger: false });
  await app.listen(0, '127.0.0.1');
  return app;
}

/** Those that `require` keeps, which are all but modules of Nest and TypeORM themselves, and those are there before. */
function loadedModules(before) {
  const isKnown = (file) => before.some((name) => file.includes(join('node_modules', name, sep)));
  return Object.keys(require.cache).filter((file) => !isKnown(file));
}

async function adapterOf(platform) {
  const { ExpressAdapter, FastifyAdapter } = await import(`@nestjs/platform-${platform}`);
  return platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
}
