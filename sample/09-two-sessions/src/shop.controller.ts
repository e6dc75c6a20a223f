import { Body, Controller, Get, Post, Redirect } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { CartForm, LoginForm } from './forms';
import { html, loginForm, page, tell } from './page';
import './session-data';
import { Users, customerOf } from './users';

const GOODS = ['Oil lamp', 'Wax tablet', 'Laurel wreath'];
const MOST = 20;

/** `@Session()` without a name is the session of a customer. */
@Controller()
export class ShopController {
  constructor(private readonly users: Users) {}

  @Get()
  home(@Session() session: Session): string {
    const welcome = html`<p>Welcome, ${session.constant('name')}.</p>
      <form method="post" action="/logout"><button>Log out</button></form>`;
    return page(
      'The shop',
      session,
      html`${session.principal === null ? loginForm('/login') : welcome}
        <h2>Your cart</h2>
        <ul>
          ${(session.get('cart') ?? []).map((item) => html`<li>${item}</li>`)}
        </ul>
        <form method="post" action="/cart">
          ${GOODS.map((item) => html`<button name="item" value="${item}">Add: ${item}</button> `)}
        </form>
        <p><a href="/staff">For the staff</a></p>`,
    );
  }

  @Post('cart')
  @Redirect('/', 303)
  add(@Session() session: Session, @Body() { item }: CartForm): void {
    session.update('cart', (cart = []) => [...cart, item].slice(-MOST));
  }

  @Post('login')
  @Redirect('/', 303)
  async login(@Session() session: Session, @Body() { name, password }: LoginForm): Promise<void> {
    const customer = await this.users.verify(this.users.customers, name, password);
    if (customer === null) tell(session, 'This name and password do not belong together.');
    else session.login(customerOf(customer), { constants: { name } }); // the cart stays
  }

  @Post('logout')
  @Redirect('/', 303)
  logout(@Session() session: Session): void {
    session.logout();
  }
}
