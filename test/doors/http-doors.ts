import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import {
  AuthGuard,
  Principal,
  Session,
  bearer,
  type LoadedSession,
  type LoggedInPrincipal,
} from 'nestjs-tessera';
import { platforms, type App } from '../support/app';
import '../support/session-data';
import { Visitor, visitor, type Answer } from '../support/visitor';
import type { Action, Caller, Door, Reply } from './door';

@Controller()
class DoorController {
  @Get('read')
  read(@Session('visits') visits = 0): object {
    return { value: visits };
  }

  @Post('write')
  write(@Session() session: LoadedSession): object {
    return { value: session.update('visits', (visits = 0) => visits + 1) };
  }

  @Post('login')
  login(@Session() session: LoadedSession): object {
    session.login({ id: 'ada' });
    return { value: 'ada' };
  }

  @Post('logout')
  logout(@Session() session: LoadedSession): object {
    session.logout();
    return { value: 'bye' };
  }

  @UseGuards(AuthGuard)
  @Get('guarded')
  guarded(@Principal() { id }: LoggedInPrincipal): object {
    return { value: id };
  }
}

const METHODS = { read: 'GET', write: 'POST', login: 'POST', logout: 'POST', guarded: 'GET' } as const;

/** Returns a browser that has a cookie with a token. */
export async function browserWith(app: App, token: string | null): Promise<Visitor> {
  const browser = await visitor(app);
  const site = (await app.getUrl()).replace('http:', 'https:');
  if (token !== null) await browser.jar.setCookie(`__Host-session=${token}; Secure; Path=/`, site);
  return browser;
}

export const replyOf = (answer: Answer): Reply => {
  const { value, code } = answer.json<{ value?: unknown; code?: string }>();
  return answer.status < 400 ? { value } : { code };
};

export async function enterWithCookie(app: App, token: string | null): Promise<Caller> {
  const browser = await browserWith(app, token);
  return {
    ask: async (action) => replyOf(await browser.request(METHODS[action], `/${action}`)),
    token: () => browser.token(),
    close: () => {},
  };
}

async function enterWithBearer(app: App, first: string | null): Promise<Caller> {
  const client = await visitor(app);
  let token = first ?? '';
  const ask = async (action: Action): Promise<Reply> => {
    const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
    const answer = await client.request(METHODS[action], `/${action}`, { headers });
    token = answer.headers.get('x-session-token') ?? token;
    return replyOf(answer);
  };
  return { ask, token: async () => token || undefined, close: () => {} };
}

export const httpDoors: readonly Door[] = platforms.flatMap((platform) => {
  const common = { platform, missing: null, cannot: {}, ending: null };
  const controllers = [DoorController];
  return [
    { ...common, name: 'HTTP with a cookie', setUp: { controllers }, enter: enterWithCookie },
    {
      ...common,
      name: 'HTTP with a bearer token',
      setUp: { controllers, options: { transport: bearer() } },
      enter: enterWithBearer,
    },
  ];
});
