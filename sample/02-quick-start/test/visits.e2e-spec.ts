import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../src/visits';
import { Visitor } from '../../../test/support/visitor';

describe('the quick start', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
  });

  afterAll(() => app.close());

  it('counts each visitor’s visits apart from the others’', async () => {
    const ada = new Visitor(await app.getUrl());
    const bert = new Visitor(await app.getUrl());
    expect((await ada.get('/')).text).toBe('Visit 1');
    expect((await ada.get('/')).text).toBe('Visit 2');
    expect((await bert.get('/')).text).toBe('Visit 1');
  });
});
