/* eslint-disable @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unnecessary-type-assertion --
   what does not compile has no types */
// Compiled, never run: each @ts-expect-error is an error that an application's author is to see.
import type {
  FlashKind,
  Principal,
  PrincipalClaims,
  Session,
  SessionKey,
  SessionStore,
  SessionValue,
  StoreCall,
  StoredSession,
} from 'nestjs-tessera';
import { same } from './data';

export function data(session: Session): void {
  same<SessionKey, 'cart' | 'theme' | 'visitedAt' | 'byPage'>(true);
  same<ReturnType<typeof session.get<'cart'>>, string[] | undefined>(true);
  same<SessionValue<'theme'>, 'light' | 'dark' | undefined>(true);

  const cart: string[] = session.get('cart') ?? [];
  session.set('cart', cart).set('theme', 'dark').set('theme', undefined).set('visitedAt', new Date());
  const updated: string[] = session.update('cart', (before = []) => [...before, 'amphora']);
  const popped: Date | undefined = session.pop('visitedAt');
  const keys: SessionKey[] = session.keys();
  for (const [key, value] of session.entries()) {
    if (key === 'byPage') value.set('/', 1);
  }
  void [updated, popped, keys, session.has('cart'), session.delete('theme')];

  // @ts-expect-error -- a misspelt key
  session.get('carts');
  // @ts-expect-error -- a misspelt key
  session.set('carts', []);
  // @ts-expect-error -- a misspelt key
  session.update('carts', () => []);
  // @ts-expect-error -- a misspelt key
  session.has('carts');
  // @ts-expect-error -- a misspelt key
  session.delete('carts');
  // @ts-expect-error -- a misspelt key
  session.pop('carts');
  // @ts-expect-error -- not a list
  session.set('cart', 'amphora');
  // @ts-expect-error -- no such theme
  session.set('theme', 'blue');
  // @ts-expect-error -- it may not be there
  session.get('cart').push('amphora');
  // @ts-expect-error -- it may not be there yet
  session.update('cart', (before) => [...before, 'amphora']);
  // @ts-expect-error -- the wrong result
  session.update('cart', () => 5);
  // @ts-expect-error -- nor the promise of a right one
  session.update('cart', async () => []);
}

export function constants(session: Session): void {
  session.login({ id: 1 }, { constants: { tenant: 'acme' } });
  same<ReturnType<typeof session.constant<'limits'>>, { readonly uploads: number } | undefined>(true);

  // @ts-expect-error -- a misspelt constant
  session.constant('tenants');
  // @ts-expect-error -- a key of the data is no constant
  session.constant('cart');
  // @ts-expect-error -- a misspelt constant
  session.login({ id: 1 }, { constants: { tenants: 'acme' } });
  // @ts-expect-error -- not a text
  session.login({ id: 1 }, { constants: { tenant: 5 } });
}

export function messages(session: Session): void {
  session.flash('notice', 'saved');
  session.flash('undo', { label: 'Undo', path: '/undo' });
  same<FlashKind, 'notice' | 'undo'>(true);
  const notices: string[] = session.messages('notice');
  const undos: { label: string; path: string }[] = session.messages('undo');
  const all: { kind: 'notice' | 'undo'; message: string | { label: string; path: string } }[] =
    session.messages();
  void [notices, undos, all];

  // @ts-expect-error -- no such kind
  session.flash('error', 'wrong password');
  // @ts-expect-error -- a text where more is wanted
  session.flash('undo', 'Undo');
  // @ts-expect-error -- no such kind
  session.messages('error');
}

export function lifecycle(session: Session): void {
  session.login({ id: 7n, realm: 'staff', roles: ['admin'] }, { rememberMe: true, keepData: false });
  session.login({ id: 1, claims: { tenant: 'acme' } }, { pending: true, amr: ['pwd'], level: 1 });
  session.logout({ keepData: true });
  session.elevate({ roles: ['admin'], amr: ['otp'], level: 2 });
  session.actAs({ id: 2, claims: { permissions: ['read'] } });
  session.grant('transfer:1', 60_000);
  same<NonNullable<typeof session.principal>['claims'], Readonly<Partial<PrincipalClaims>> | undefined>(true);
  const actor: Principal | null = session.actor;
  const tenant: string | undefined = session.pending?.claims?.tenant;
  void [actor, tenant, session.locked, session.amr, session.level];
  session.rememberMe(false);
  session.deadline = Date.UTC(2030, 0, 1);
  session.idleTimeout = null;
  same<typeof session.principal, Principal | null>(true);
  same<typeof session.status, 'unchanged' | 'changed' | 'destroyed'>(true);

  // @ts-expect-error -- a misspelt claim
  session.login({ id: 1, claims: { tenants: 'acme' } });
  // @ts-expect-error -- a claim of another type
  session.login({ id: 1, claims: { tenant: 5 } });
  // @ts-expect-error -- L4: a pending login is completed by elevate alone
  session.pending = null;
  // @ts-expect-error -- a level is a number
  session.elevate({ level: '2' });
  // @ts-expect-error -- nobody
  session.login();
  // @ts-expect-error -- a principal has an id
  session.login({ roles: ['admin'] });
  // @ts-expect-error -- L4: a principal comes in by login alone
  session.principal = { id: '1', realm: 'default', roles: [] };
  // @ts-expect-error -- L4: and is not to be changed
  session.principal!.roles.push('admin');
  // @ts-expect-error -- the library chooses it
  session.id = 'mine';
  // @ts-expect-error -- an instant, not a date
  session.deadline = new Date();
  // @ts-expect-error -- a session is not to be awaited
  void session.then;
}

/** A store takes the ids of sessions, without an assertion. */
export async function ids(session: Session, stored: StoredSession): Promise<void> {
  const store = {} as SessionStore;
  const call = {} as StoreCall;
  await store.delete(session.id, call);
  await store.delete(stored.id, call);
  const fromClient: string = session.id;
  // @ts-expect-error -- an id that a client sent has to pass isSessionId
  await store.delete(fromClient, call);
}
