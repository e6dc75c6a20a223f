// Compiled, never run: each @ts-expect-error is an error that an application's author is to see.
import passport from 'passport';
import type { StateStore } from 'passport-oauth2';
import { PassportSessions, SessionStateStore } from 'nestjs-tessera/passport';

interface User {
  readonly id: string;
  readonly roles: string[];
}
interface Form {
  readonly body: { readonly remember: boolean };
}
const principal = ({ id, roles }: User) => ({ id, roles });

export const modules = [
  // A user needs no type, as in Passport.
  PassportSessions.forRoot({ principal: (user) => ({ id: user.id as string }) }),
  PassportSessions.forRoot({ principal, passport, login: (user) => ({ amr: user.roles }) }),
  PassportSessions.forRoot({ principal, passport: new passport.Passport(), name: 'admin' }),
  PassportSessions.forRoot({ principal, login: (_user, { body }: Form) => ({ rememberMe: body.remember }) }),
  PassportSessions.forRoot({
    principal,
    serialize: (user: User) => ({ since: new Date(), roles: user.roles }),
    deserialize: async ({ id }, stored) => (stored === undefined ? null : { id, roles: stored.roles }),
  }),
  PassportSessions.forRootAsync({ useFactory: async () => ({ principal }) }),
  // @ts-expect-error -- a principal has an id
  PassportSessions.forRoot({ principal: ({ id }: User) => ({ name: id }) }),
  // @ts-expect-error -- no user of the strategies
  PassportSessions.forRoot({ principal, deserialize: ({ id }) => ({ id }) }),
  // @ts-expect-error -- no such option
  PassportSessions.forRoot({ principal, secret: 'keyboard cat' }),
];

export const store: StateStore = new SessionStateStore('example', { validFor: 60_000 });
