import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from '../src/app.module';
import { configureSite } from '../src/site';
import { Person } from './person';

export const PASSWORD = 'four words are enough';

/** The site on a database of its own, as if behind a proxy: `X-Forwarded-For` says where a visitor is. */
export async function openSite(database: string, port = 0): Promise<NestExpressApplication> {
  process.env['SITE_DATABASE'] = database;
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: false });
  app.set('trust proxy', 'loopback');
  configureSite(app);
  await app.listen(port, '127.0.0.1');
  return app;
}

export function credentials(name: string): Record<string, string> {
  return { email: `${name}@example.com`, password: PASSWORD };
}

let signUps = 0;

/** Somebody who has signed up, at an address of their own, and logged in. */
export async function signUp(url: string, name: string): Promise<Person> {
  await api(url, '/sign-up', { name, ...credentials(name) }, `10.9.0.${++signUps}`);
  return logIn(url, name);
}

export async function logIn(url: string, name: string, browser?: string): Promise<Person> {
  const person = new Person(url, undefined, browser);
  const answer = await person.send('/login', credentials(name));
  expect(answer.headers.get('location')).toBe('/account');
  return person;
}

/** Sends a form as a client that is no browser and says so. */
export function api(url: string, path: string, body: object, address = '10.0.0.1'): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      origin: url,
      'x-forwarded-for': address,
    },
    body: JSON.stringify(body),
    redirect: 'manual',
  });
}
