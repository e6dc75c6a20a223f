// An application that has declared nothing yet: what needs no declaration works, what does says so.
import { Controller, Get } from '@nestjs/common';
import { Session } from 'nestjs-tessera';

@Controller()
export class PlainController {
  @Get() get(@Session() session: Session) {
    session.login({ id: 1, claims: { anything: ['that', 'is', 'JSON'] } });
    const claim: unknown = session.principal?.claims?.['anything'];
    session.flash('anything', 'a text');
    const texts: string[] = session.messages('anything');
    const all: { kind: string; message: string }[] = session.messages();
    const keys: never[] = session.keys();
    void [texts, all, keys, claim, session.entries()];

    // @ts-expect-error -- declare SessionData first
    session.get('cart');
    // @ts-expect-error -- declare SessionData first
    session.set('cart', []);
    // @ts-expect-error -- declare SessionConstants first
    session.login({ id: 1 }, { constants: { tenant: 'acme' } });
    // @ts-expect-error -- declare SessionConstants first
    session.constant('tenant');
    // @ts-expect-error -- a message is a text until SessionMessages says otherwise
    session.flash('anything', { label: 'Undo' });
  }

  // @ts-expect-error -- declare SessionData first
  @Get('cart') cart(@Session('cart') cart: unknown) {
    return cart;
  }
}
