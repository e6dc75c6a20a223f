import { Controller, Get, NotFoundException, Param } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { record } from './history';
import { PAGES, historyList, html, page } from './page';

@Controller()
export class PagesController {
  @Get()
  home(@Session() session: Session): string {
    return this.#show(session, 'home');
  }

  @Get(':page')
  other(@Session() session: Session, @Param('page') name: string): string {
    if (!PAGES.includes(name)) throw new NotFoundException();
    return this.#show(session, name);
  }

  #show(session: Session, name: string): string {
    record(session, name);
    return page(
      `The ${name} page`,
      session,
      html`<h2>You have seen</h2>
        ${historyList(session.get('history'))}`,
    );
  }
}
