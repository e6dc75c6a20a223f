// Compiled, never run: what an application declares that has its keys from its schemas.
import { type } from 'arktype';
import {
  SessionModule,
  type InferData,
  type Session,
  type SessionData,
  type SessionKey,
} from 'nestjs-tessera';
import * as v from 'valibot';
import { z } from 'zod';

const schema = {
  cart: z.array(z.string()),
  visitedAt: z.coerce.date(),
  theme: v.picklist(['light', 'dark']),
  name: v.pipe(v.string(), v.trim()),
  address: type({ street: 'string', 'zip?': 'string' }),
  visits: type('number.integer'),
};

declare module 'nestjs-tessera' {
  interface SessionData extends InferData<typeof schema> {
    /** A key without a schema. */
    unchecked: number;
  }
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_same: Same<A, B>): void {}

export const modules = [
  SessionModule.forRoot({ schema }),
  SessionModule.forRoot({ schema: { cart: z.array(z.string()) } }),
  SessionModule.forRoot({
    schema,
    onMismatch: (key, value) => (key === 'visits' ? Number(value) : undefined),
  }),
  SessionModule.forRootAsync({ useFactory: () => ({ schema }) }),
  // @ts-expect-error -- a misspelt key
  SessionModule.forRoot({ schema: { carts: z.array(z.string()) } }),
  // @ts-expect-error -- not the type of the key
  SessionModule.forRoot({ schema: { cart: z.array(z.number()) } }),
  // @ts-expect-error -- not a schema
  SessionModule.forRoot({ schema: { cart: Array } }),
];

export function data(session: Session): void {
  same<SessionKey, 'cart' | 'visitedAt' | 'theme' | 'name' | 'address' | 'visits' | 'unchecked'>(true);
  same<SessionData['cart'], string[]>(true);
  same<SessionData['visitedAt'], Date>(true);
  same<SessionData['theme'], 'light' | 'dark'>(true);
  same<SessionData['name'], string>(true);
  same<SessionData['address'], { street: string; zip?: string }>(true);
  same<SessionData['visits'], number>(true);
  const cart: string[] | undefined = session.get('cart');
  session
    .set('cart', cart ?? [])
    .set('theme', 'dark')
    .set('unchecked', 1);

  // @ts-expect-error -- not a text
  session.set('cart', [1]);
  // @ts-expect-error -- no such theme
  session.set('theme', 'blue');
  // @ts-expect-error -- the input of a schema, and not what is stored
  session.set('visitedAt', '2030-01-01');
}
