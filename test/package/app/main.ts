import 'reflect-metadata';
import { createRequire } from 'node:module';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule, stores } from './app.js';

const adapters = { express: () => new ExpressAdapter(), fastify: () => new FastifyAdapter() };

async function main(): Promise<void> {
  const apps: INestApplication[] = [];
  const urls: Record<string, string> = {};
  for (const [platform, adapter] of Object.entries(adapters)) {
    for (const [store, options] of Object.entries(stores)) {
      const app = await NestFactory.create(AppModule.with(options), adapter(), { logger: ['error', 'warn'] });
      apps.push(app);
      await app.listen(0, '127.0.0.1');
      urls[`${platform}, ${store}`] = await app.getUrl();
    }
  }
  process.once('SIGTERM', () => void Promise.all(apps.map((app) => app.close())));
  console.log(JSON.stringify({ urls, strangers: await strangers() }));
}

/**
 * What `require` and `import` do not agree on: a class that exists twice makes `instanceof` and Nest's injector fail, and a
 * name that Node's lexer misses cannot be imported by it.
 */
async function strangers(): Promise<string[]> {
  const require = createRequire(`${process.cwd()}/`);
  const found: string[] = [];
  for (const entry of entries(require('nestjs-tessera/package.json') as Manifest)) {
    const imported = (await import(entry)) as Record<string, unknown>;
    const required = require(entry) as Record<string, unknown>;
    const differing = Object.keys(required).filter((name) => required[name] !== imported[name]);
    found.push(...differing.map((name) => `${entry}: ${name}`));
  }
  return found;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** What code can be imported from. */
function entries({ name, exports }: Manifest): string[] {
  const paths = Object.keys(exports).filter((path) => !path.endsWith('.json'));
  return paths.map((path) => name + path.slice(1));
}

void main();
