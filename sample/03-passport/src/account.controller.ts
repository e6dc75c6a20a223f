import { Controller, Get, NotFoundException, Param, Post, Redirect } from '@nestjs/common';
import { Principal, Session, SessionRegistry, type SessionInfo } from 'nestjs-tessera';
import { html, page, tell, type Html } from './page';
import { Users } from './users';

/** The registry lists logins of Passport as it lists those of `sessions.login()`. */
@Controller()
export class AccountController {
  constructor(
    private readonly registry: SessionRegistry,
    private readonly users: Users,
  ) {}

  @Get()
  async home(@Principal() user: Principal, @Session() session: Session): Promise<string> {
    const devices = await this.registry.list(user); // the last used first
    return page(
      `Hello, ${this.users.find(user.id)?.name}`,
      session,
      html`<p>You logged in with ${session.amr.includes('pwd') ? 'a password' : 'Example'}.</p>
        <h2>Where you are logged in</h2>
        <ul>
          ${devices.map(row)}
        </ul>
        <form method="post" action="/logout"><button>Log out</button></form>`,
    );
  }

  @Post('devices/:id/end')
  @Redirect('/', 303)
  async end(
    @Principal() user: Principal,
    @Session() session: Session,
    @Param('id') id: string,
  ): Promise<void> {
    // With `principal`, so that a user can end no session of another.
    if (!(await this.registry.end(id, { principal: user }))) throw new NotFoundException();
    tell(session, 'That login has ended.');
  }
}

function row({ id, isCurrent, device, createdAt }: SessionInfo): Html {
  const since = new Date(createdAt).toISOString().slice(0, 16).replace('T', ' ');
  const end = html`<form method="post" action="/devices/${id}/end"><button>End it</button></form>`;
  return html`<li>
    ${device?.label ?? 'A browser'}, since ${since} ${isCurrent ? html`<strong>(this one)</strong>` : end}
  </li>`;
}
