import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** Decorators by hand, since subjects are plain JavaScript: `{ read: [Get('read')] }`, and `[[parameter, decorator]]` besides. */
export function decorate(target, methods, parameters = {}) {
  for (const [name, decorators] of Object.entries(methods)) {
    const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
    for (const [index, decorator] of parameters[name] ?? []) decorator(target.prototype, name, index);
    for (const decorator of decorators) decorator(target.prototype, name, descriptor);
  }
}

/** A Nest application with nothing in it but what the subject brings. */
export async function createApp(platform, { imports = [], controllers }) {
  class SubjectModule {}
  Module({ imports, controllers })(SubjectModule);
  return platform === 'express'
    ? NestFactory.create(SubjectModule, { logger: false })
    : NestFactory.create(SubjectModule, new FastifyAdapter(), { logger: false });
}
