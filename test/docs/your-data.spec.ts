import { Controller, Post, type Type } from '@nestjs/common';
import { Session, type LoadedSession } from 'nestjs-tessera';
import { closeApps, platforms, startApp } from '../support/app';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

class CodeForm {}

const { EmailController } = exportsOf<{ EmailController: Type }>(
  new Markdown('docs/your-data.md'),
  'class EmailController ',
  { CodeForm },
);

/** Sends the mail, as far as the session knows of it. */
@Controller('email')
class MailController {
  @Post()
  send(@Session() session: LoadedSession): void {
    session.set('emailCode' as 'value', { email: 'ada@example.com', code: '123456' });
  }
}

describe.each(platforms)('the code of docs/your-data.md that is good once, on %s', (platform) => {
  let ada: Visitor;

  beforeEach(async () => {
    const app = await startApp({ platform, controllers: [EmailController, MailController] });
    ada = await visitor(app);
    await ada.post('/email');
  });
  afterEach(closeApps);

  const confirm = async (code?: string) => (await ada.post('/email/confirm', { code })).status;

  it('is accepted from one of several requests', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => confirm('123456')));
    expect(answers.sort()).toEqual([201, ...Array<number>(9).fill(403)]);
  });

  it('is used up by a wrong one', async () => {
    expect(await confirm('000000')).toBe(403);
    expect(await confirm('123456')).toBe(403);
  });

  it('cannot be left out, also when none was sent', async () => {
    expect(await confirm()).toBe(403);
    expect(await confirm()).toBe(403);
  });
});
