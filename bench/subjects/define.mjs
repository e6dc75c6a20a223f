import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** Those that others are compared with are installed apart. */
export const requirePeer = createRequire(new URL('../peers/package.json', import.meta.url));

/** A key of a subject's cookies, as long as the strictest of them asks for. */
export const SECRET = 'not a secret at all, 48 characters as one would take'.slice(0, 48);

const PATHS = ['untouched', 'anonymous', 'begin', 'read', 'write', 'login', 'user', 'guarded', 'first-write'];

/**
 * A controller by hand, since subjects are plain JavaScript: each of its methods is served under its own name.
 * @param parameters decorators of every parameter, in order, for the methods that take any
 * @param guard for the method `guarded`
 * @param particular by the name of a method, decorators of its parameters, where they are others
 */
export function defineController(target, { parameters = [], guard, ...particular }) {
  Controller()(target);
  for (const path of PATHS) {
    const name = path === 'first-write' ? 'firstWrite' : path;
    const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
    if (descriptor === undefined) continue;
    const wanted = (particular[name] ?? parameters).slice(0, descriptor.value.length);
    for (const [index, decorator] of wanted.entries()) decorator(target.prototype, name, index);
    if (name === 'guarded') UseGuards(guard)(target.prototype, name, descriptor);
    Get(path)(target.prototype, name, descriptor);
  }
  return target;
}

/** A Nest application with nothing in it but what the subject brings, behind a proxy that ends TLS. */
export async function createApp(platform, { imports = [], controllers }) {
  class SubjectModule {}
  Module({ imports, controllers })(SubjectModule);
  if (platform === 'fastify')
    return NestFactory.create(SubjectModule, new FastifyAdapter({ trustProxy: true }), { logger: false });
  const app = await NestFactory.create(SubjectModule, { logger: false });
  app.set('trust proxy', 1);
  return app;
}
