import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Request } from 'express';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { App, Platform } from '../support/app';

/** A form with a file. */
export function upload(fields: Record<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob(['a poem']), 'poem.txt');
  return form;
}

/** Leaves uploads to the handler, as Express does. Fastify answers 415 to types that it has no parser for. */
export function ignoreUploads(app: App, platform: Platform): void {
  if (platform === 'express') return;
  fastifyOf(app).addContentTypeParser('multipart/form-data', (_request, payload, done) => {
    payload.resume().on('end', () => done(null, undefined));
  });
}

/** Parses uploads before the guards, as multer does as middleware, and @fastify/multipart with `attachFieldsToBody: 'keyValues'`. */
export function parseUploads(app: App, platform: Platform): void {
  const fieldsOf = async (body: Readable, type = ''): Promise<object> => {
    const form = await new Response(await buffer(body), { headers: { 'content-type': type } }).formData();
    return Object.fromEntries(form);
  };
  if (platform === 'express') {
    const parse = async (request: Request, _response: unknown, next: () => void): Promise<void> => {
      const { 'content-type': type } = request.headers;
      if (type?.startsWith('multipart/')) request.body = await fieldsOf(request, type);
      next();
    };
    app.use((request: Request, response: unknown, next: () => void) => void parse(request, response, next));
    return;
  }
  fastifyOf(app).addContentTypeParser(
    'multipart/form-data',
    ({ headers }: FastifyRequest, payload: IncomingMessage) => fieldsOf(payload, headers['content-type']),
  );
}

function fastifyOf(app: App): FastifyInstance {
  return (app as NestFastifyApplication).getHttpAdapter().getInstance();
}
