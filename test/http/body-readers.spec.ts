import { once } from 'node:events';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { Controller, Injectable, Post, UseGuards, type CanActivate } from '@nestjs/common';
import { SessionService } from 'nestjs-tessera';
import { closeApps, startApp } from '../support/app';
import '../support/session-data';

@Injectable()
class Doorkeeper implements CanActivate {
  constructor(private readonly sessions: SessionService) {}

  async canActivate(): Promise<boolean> {
    return (await this.sessions.current()).isNew;
  }
}

@Controller()
class UploadController {
  constructor(private readonly sessions: SessionService) {}

  @Post('upload') @UseGuards(Doorkeeper) async upload(): Promise<number> {
    return (await this.sessions.current()).update('visits', (n = 0) => n + 1);
  }
}

afterEach(closeApps);

/** Sends a body of which the second half leaves only when the first was read. */
async function upload(url: string, isReading: Promise<unknown>): Promise<string> {
  const sent = request(`${url}/upload`, { method: 'POST', headers: { 'content-type': 'text/plain' } });
  sent.write('first half');
  await isReading;
  sent.end('second half');
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks = await answer.toArray();
  return `${answer.statusCode} ${Buffer.concat(chunks as Buffer[]).toString()}`;
}

it('W32: a route of Express keeps its handler of errors', async () => {
  const app = await startApp({
    platform: 'express',
    configure: (given) => {
      const fail = (_request: unknown, _response: unknown, next: (error: Error) => void): void =>
        next(new Error('out of order'));
      const handle = (error: Error, _request: unknown, response: ServerResponse, _next: unknown): void =>
        void response.end(`handled: ${error.message}`);
      (given.getHttpAdapter() as unknown as Record<'get', (...args: unknown[]) => void>).get(
        '/bad',
        fail,
        handle,
      );
    },
  });
  expect(await (await fetch(`${await app.getUrl()}/bad`)).text()).toBe('handled: out of order');
});

it('W32: the current session is found on Express behind middleware that reads the body', async () => {
  let begin: () => void;
  const isReading = new Promise<void>((resolve) => (begin = resolve));
  const read = (incoming: IncomingMessage, _response: unknown, next: () => void): void => {
    incoming.once('data', () => begin()).once('end', next);
  };
  const app = await startApp({
    platform: 'express',
    controllers: [UploadController],
    configure: (given) => void given.use(read),
  });
  expect(await upload(await app.getUrl(), isReading)).toBe('201 1');
});
