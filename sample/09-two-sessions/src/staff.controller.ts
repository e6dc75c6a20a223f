import { Controller, Get, Param, ParseIntPipe, Post, Redirect, UseFilters, UseGuards } from '@nestjs/common';
import { AuthGuard, LoginRedirectFilter, RequireRolesOf, Session, SessionRegistry } from 'nestjs-tessera';
import { html, page, tell } from './page';
import { Users, customerOf } from './users';

/** Everything here uses the session of the staff, by its name. Without the name it would be that of the customer. */
@UseGuards(AuthGuard.for('staff'))
@UseFilters(new LoginRedirectFilter('/staff/login', { name: 'staff' }))
@Controller('staff')
export class StaffController {
  constructor(
    private readonly customerSessions: SessionRegistry,
    private readonly users: Users,
  ) {}

  @Get()
  async desk(@Session({ name: 'staff' }) session: Session): Promise<string> {
    const rows = await Promise.all(
      this.users.customers.map(async (customer) => {
        const count = await this.customerSessions.count(customerOf(customer));
        return html`<li>
          <form method="post" action="/staff/customers/${customer.id}/end">
            ${customer.name}: ${count} sessions <button>End them</button>
          </form>
        </li>`;
      }),
    );
    return page(
      'The desk',
      session,
      html`<p>
          You are ${session.constant('name')}, ${session.principal!.roles.join(', ') || 'without a role'}.
        </p>
        <ul>
          ${rows}
        </ul>
        <form method="post" action="/staff/logout"><button>Log out</button></form>
        <p><a href="/">To the shop</a></p>`,
    );
  }

  @RequireRolesOf('staff', 'manager')
  @Post('customers/:id/end')
  @Redirect('/staff', 303)
  async end(
    @Session({ name: 'staff' }) session: Session,
    @Param('id', ParseIntPipe) id: number,
  ): Promise<void> {
    await this.customerSessions.endAll(customerOf({ id }), { reason: 'ended-by-staff' });
    tell(session, `The sessions of customer ${id} have ended.`);
  }
}
