import { Controller, Get, Render } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { bareFrame } from '../web/frame';
import { Page } from '../web/page.decorator';

@Controller()
export class HomeController {
  @Get()
  @Page('home', 'Home')
  home(@Session() session: Session): object {
    const visits = session.update('visits', (count = 0) => count + 1);
    return { visits, first: visits === 1, history: session.get('history') ?? [] };
  }

  /** Where `POST /account/forget` leads. It does not touch the session, so none begins: the browser stays without a cookie. */
  @Get('goodbye')
  @Render('goodbye')
  goodbye(): object {
    return bareFrame('Goodbye');
  }
}
