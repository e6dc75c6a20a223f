import type { Request } from 'express';
import { html, loginForm, page } from './page';
import { GOODS } from './stock';
import type { User } from './users';

/** The page of the shop, with what Passport and connect-flash have put into the request. */
export function shopPage(request: Request, cart: readonly string[]): string {
  const user = request.user as User | undefined;
  const welcome = html`<p>Welcome, ${user?.name}.</p>
    <form method="post" action="/logout"><button>Log out</button></form>`;
  return page(
    'The shop',
    request.flash('notice'),
    html`${user === undefined ? loginForm('/login') : welcome}
      <h2>Your cart</h2>
      <ul>
        ${cart.map((item) => html`<li>${item}</li>`)}
      </ul>
      <form method="post" action="/cart">
        ${GOODS.map((item) => html`<button name="item" value="${item}">Add: ${item}</button> `)}
      </form>`,
  );
}
