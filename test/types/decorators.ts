/* eslint-disable @typescript-eslint/no-unsafe-call -- what does not compile has no types */
// Compiled with emitDecoratorMetadata and isolatedModules, as Nest applications are: one import is the decorator and the type.
import { Body, Controller, Get, Injectable, ParseIntPipe, Post, UseGuards } from '@nestjs/common';
import {
  AuthGuard,
  InjectSessions,
  OnSession,
  Principal,
  Public,
  RequireRoles,
  RequireRolesOf,
  Session,
  SessionService,
  type SessionEvent,
  type SessionEventOf,
  type SessionValue,
} from 'nestjs-tessera';
import './data';

@Injectable()
export class Sessions {
  @InjectSessions('admin') readonly fromProperty!: SessionService;

  constructor(
    readonly sessions: SessionService,
    @InjectSessions('admin') readonly admins: SessionService,
  ) {}

  async work(): Promise<string[] | undefined> {
    await this.sessions.login({ id: 1 }, { constants: { tenant: 'acme' } });
    // @ts-expect-error -- a misspelt constant
    await this.sessions.login({ id: 1 }, { constants: { tenants: 'acme' } });
    // @ts-expect-error -- load it first
    this.sessions.current().get('cart');
    return (await this.sessions.current()).get('cart');
  }
}

@UseGuards(AuthGuard, AuthGuard.for('admin'))
@Controller()
export class ShopController {
  @Public() @Get() get(
    @Session() session: Session,
    @Session('theme') theme: SessionValue<'theme'>,
    @Session({ name: 'admin' }) admin: Session,
    @Session({ name: 'admin', key: 'cart' }) cart: string[] | undefined,
    @Session('visitedAt', ParseIntPipe) at: number,
    @Principal() who: Principal | null,
    @Principal({ name: 'admin' }) boss: Principal,
  ) {
    return { id: session.id, theme, admin: admin.keys(), cart, at, who: who?.id, boss: boss.roles };
  }

  @RequireRoles('admin', 'editor')
  @RequireRolesOf('admin', 'boss')
  @Post()
  post(@Session() session: Session, @Body() { item }: { item: string }) {
    return session.update('cart', (cart = []) => [...cart, item]);
  }

  // @ts-expect-error -- a misspelt key
  @Get('wrong-key') wrongKey(@Session('carts') cart: unknown) {
    return cart;
  }

  // @ts-expect-error -- a misspelt key
  @Get('wrong-selection') wrongSelection(@Session({ key: 'carts' }) cart: unknown) {
    return cart;
  }

  // @ts-expect-error -- at least one role
  @RequireRoles()
  @Get('no-role')
  noRole() {}

  // @ts-expect-error -- at least one role
  @RequireRolesOf('admin')
  @Get('no-role-of')
  noRoleOf() {}
}

export class Listener {
  @OnSession('loggedIn', 'loggedOut')
  login({ type }: SessionEventOf<'loggedIn' | 'loggedOut'>): 'loggedIn' | 'loggedOut' {
    return type;
  }

  @OnSession('loggedIn')
  any(_event: SessionEvent) {}

  @OnSession()
  async all(_event: SessionEvent): Promise<void> {}

  @OnSession('expired', { name: 'admin' })
  named(_event: SessionEventOf<'expired' | 'destroyed'>) {}

  @OnSession({ name: 'admin' })
  nothing() {}

  // @ts-expect-error -- takes other events
  @OnSession('loggedIn')
  wrong(_event: SessionEventOf<'loggedOut'>) {}

  // @ts-expect-error -- all events, also in the handler
  @OnSession()
  tooFew(_event: SessionEventOf<'loggedIn'>) {}

  // @ts-expect-error -- a misspelt type
  @OnSession('loggedin')
  misspelt() {}

  // @ts-expect-error -- a misspelt option
  @OnSession({ names: 'admin' })
  misspeltOption() {}
}

// @ts-expect-error -- sessions are handed out, never made
new Session();
