import { Controller, Get, Post, Redirect, UseGuards } from '@nestjs/common';
import { AuthGuard, Principal, Session, SessionRegistry } from 'nestjs-tessera';
import { historyList, html, page } from './page';

@Controller()
export class HistoryController {
  constructor(private readonly registry: SessionRegistry) {}

  /** Reads the session and changes nothing, so nothing is written. */
  @Get('history')
  history(@Session() session: Session): string {
    const clear = html`<form method="post" action="/history/clear"><button>Forget it</button></form>`;
    return page('What you have seen', session, html`${historyList(session.get('history'))} ${clear}`);
  }

  @Post('history/clear')
  @Redirect('/history', 303)
  clear(@Session() session: Session): void {
    session.delete('history');
  }

  /** Each device on which the user is logged in, and what was seen there. */
  @UseGuards(AuthGuard)
  @Get('devices')
  async devices(@Session() session: Session, @Principal() user: Principal): Promise<string> {
    const sessions = await this.registry.list(user); // the last used first
    const devices = sessions.map(
      (each) =>
        html`<h2>${each.device?.label ?? 'Unknown device'}</h2>
          <p>${each.isCurrent ? 'This one' : ''}</p>
          ${historyList(each.data('history'))}`,
    );
    return page('Your devices', session, html`${devices}`);
  }
}
