import { Body, Controller, Inject, Post, type Type } from '@nestjs/common';
import { SessionService } from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp } from '../support/app';
import { visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

interface Logins {
  logIn(email: string, password: string): Promise<string>;
}

let whileChecking: () => Promise<unknown> = async () => {};

class Users {
  async verify() {
    await whileChecking();
    return { id: 7, roles: [] };
  }
}

const { Logins: LoginsOfTheGuide } = exportsOf<{ Logins: Type<Logins> }>(
  new Markdown('docs/login.md'),
  'class Logins {',
  { Users },
);

@Controller('login')
class LoginController {
  constructor(@Inject(LoginsOfTheGuide) private readonly logins: Logins) {}

  @Post()
  async logIn(@Body() { email }: { email: string }) {
    return { result: await this.logins.logIn(email, 'lovelace') };
  }
}

describe.each(platforms)('the refused login of docs/login.md on %s', (platform) => {
  afterEach(async () => {
    whileChecking = async () => {};
    await closeApps();
  });

  it('is told to the handler that commits', async () => {
    const clock = manualClock();
    const app = await startApp({
      platform,
      options: { clock, maxSessionsPerPrincipal: 1, onLimit: 'refuse' },
      controllers: [LoginController],
      providers: [Users, LoginsOfTheGuide],
    });
    const logIn = async () => {
      const { status, cookies, text } = await (await visitor(app)).post('/login', { email: 'ada' });
      return { status, cookies: cookies.length, text };
    };
    whileChecking = () => app.get(SessionService).endAll({ id: 7 });
    const outdated = await logIn();
    whileChecking = async () => {};
    clock.advance('1s'); // the next check is later than the end
    expect({ outdated, first: await logIn(), second: await logIn() }).toEqual({
      outdated: { status: 201, cookies: 0, text: '{"result":"again"}' },
      first: { status: 201, cookies: 1, text: '{"result":"done"}' },
      second: { status: 201, cookies: 0, text: '{"result":"too many"}' },
    });
  });
});
