import * as v from 'valibot';
import { z } from 'zod';
import { ValueSchemas, type OnMismatch } from '../../lib/core/value-schemas';
import { SessionError } from '../../lib/core/session.errors';
import type { Session } from '../../lib/core/session';
import type { StandardSchema } from '../../lib/core/standard-schema';
import { core, type Core } from '../support/core';
import '../support/session-data';

const carts = z.array(z.string());

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as SessionError).code;
  }
}

/** Two releases of an application on one store: the older one has no schema. */
function releases(
  schema: Record<string, StandardSchema>,
  onMismatch?: OnMismatch,
): { readonly older: Core; readonly newer: Core } {
  const older = core();
  const newer = core({ store: older.store, schemas: new ValueSchemas(schema, onMismatch) });
  return { older, newer };
}

describe('a session whose keys have schemas', () => {
  const open = (schema: Record<string, StandardSchema>): Promise<Session> =>
    core({ schemas: new ValueSchemas(schema, undefined) }).manager.open(null);

  it('keeps the object that was set when its schema returns an equal one, so that it can be changed in place', async () => {
    const app = core({ schemas: new ValueSchemas({ cart: carts }, undefined) });
    const cart = ['pear'];
    const token = await app.issued(null, (s) => {
      s.set('cart', cart);
      cart.push('fig');
    });
    expect((await app.manager.open(token)).get('cart')).toEqual(['pear', 'fig']);
  });

  it('returns the output of the schema from update', async () => {
    const session = await open({ other: z.object({ size: z.string().default('M') }) });
    expect(session.update('other', () => ({ extra: 1 }))).toEqual({ size: 'M' });
  });

  it.each([
    ['refuses', z.string().transform((text) => text.length)],
    ['changes again', z.number().transform((count) => count + 1)],
  ])(
    'refuses a value whose schema %s its own output: a later request could not read it',
    async (_how, schema) => {
      const session = await open({ value: schema });
      const value = schema.safeParse(5).success ? 5 : 'five';
      expect(codeOf(() => session.set('value', value))).toBe('SESSION_VALUE_INVALID');
      expect(session.status).toBe('unchanged');
    },
  );

  it('can be committed once what was wrong with a change in place is put right', async () => {
    const app = core({ schemas: new ValueSchemas({ cart: carts }, undefined) });
    const token = await app.issued(null, (s) => s.set('cart', ['pear']));
    const session = await app.manager.open(token);
    (session.get('cart') as unknown[]).push(5);
    await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_VALUE_INVALID' });
    await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_VALUE_INVALID' });
    session.get('cart')!.pop();
    session.get('cart')!.push('fig');
    await app.manager.commit(session);
    expect((await app.manager.open(token)).get('cart')).toEqual(['pear', 'fig']);
  });

  it.each([
    ['SESSION_VALUE_INVALID', 5],
    ['SESSION_VALUE_UNSUPPORTED', () => 5],
  ])('refuses a change in place before actAs() sets it aside: %s', async (code, item) => {
    const app = core({ schemas: new ValueSchemas({ cart: carts }, undefined) });
    const token = await app.issued(null, (s) => (s.login({ id: 'ada' }), s.set('cart', ['pear'])));
    const session = await app.manager.open(token);
    (session.get('cart') as unknown[]).push(item);
    const refused = codeOf(() => session.actAs({ id: 'bob' }));
    const committed = app.manager.commit(session).catch((error: SessionError) => error.code);
    expect({ refused, actor: session.actor, committed: await committed }).toEqual({
      refused: code,
      actor: null,
      committed: code,
    });
  });

  it('can be committed when what was changed in place is removed', async () => {
    const app = core({ schemas: new ValueSchemas({ cart: carts }, undefined) });
    const token = await app.issued(null, (s) => s.set('cart', ['pear']).set('visits', 1));
    await app.request(token, (s) => {
      (s.get('cart') as unknown[]).push(5);
      expect(s.status).toBe('changed');
      s.delete('cart');
    });
    expect((await app.manager.open(token)).keys()).toEqual(['visits']);
  });

  it('refuses a schema that turns out to be asynchronous, by the name of its key', async () => {
    const session = await open({ value: z.string().refine(() => Promise.resolve(true)) });
    expect(codeOf(() => session.set('value', 'five'))).toBe('SESSION_OPTIONS_INVALID');
  });

  it.each<{ what: string; key: string; path: string }>([
    { what: 'names the key of a part', key: 'price', path: "'value'.price" },
    {
      what: 'has no line of a client',
      key: 'x\n[Nest] LOG root logged in',
      path: "'value'[…]",
    },
    { what: 'is short', key: 'k'.repeat(100_000), path: "'value'[…]" },
  ])('T3: in the message of a refused value, $what', async ({ key, path }) => {
    const session = await open({ value: z.record(z.string(), z.number()) });
    const refused = { key: path, message: expect.stringMatching(/^.{1,200}$/) as unknown };
    expect(() => session.set('value', { [key]: 'five' })).toThrow(expect.objectContaining(refused));
  });

  it('handles the failure of an asynchronous schema, which would end the process', async () => {
    const validate = (): Promise<never> => Promise.reject(new Error('late'));
    const session = await open({ value: { '~standard': { version: 1, vendor: 'mine', validate } } });
    expect(() => session.set('value', 5)).toThrow(/schema\.value returned a promise/);
    await new Promise(setImmediate);
  });
});

describe('what an older release left in the store', () => {
  it('refuses an onMismatch that is asynchronous, and handles its failure', async () => {
    const late = (): Promise<never> => Promise.reject(new Error('late'));
    const { older, newer } = releases({ cart: carts }, late);
    const token = await older.issued(null, (s) => s.set('cart', 'a,b' as never));
    await expect(newer.manager.open(token)).rejects.toThrow(/onMismatch returned a promise/);
    await new Promise(setImmediate);
  });

  it('is dropped, with one event for each request and key', async () => {
    const { older, newer } = releases({ cart: carts });
    const token = await older.issued(null, (s) => s.set('cart', 'old' as never));
    for (const request of [1, 2]) {
      const session = await newer.manager.open(token);
      expect({ request, keys: session.keys() }).toEqual({ request, keys: [] });
      expect(newer.events.splice(0)).toEqual([
        { type: 'rejected', reason: 'schema', id: session.id, principal: null },
      ]);
    }
  });

  it('is dropped from what another request wrote first, when this one is replayed on it', async () => {
    const { older, newer } = releases({ cart: carts, other: z.number() });
    const token = await older.issued(null, (s) => s.set('other', 'old'));
    const session = await newer.manager.open(token);
    await older.request(token, (s) => s.set('cart', 'meanwhile' as never));
    session.update('visits', (visits = 0) => visits + 1);
    newer.events.length = 0;
    await newer.manager.commit(session);
    expect(session.entries()).toEqual([['visits', 1]]);
    // What was reported when the session was opened is not reported again.
    expect(newer.events.filter(({ reason }) => reason === 'schema')).toHaveLength(1);
    expect((await older.manager.open(token)).entries()).toEqual([['visits', 1]]);
  });

  it('stays, and the request fails, when the code of its schema throws', async () => {
    const strict = v.pipe(
      v.any(),
      v.check((value) => (value as string).startsWith('a')),
    );
    const { older, newer } = releases({ value: strict });
    const token = await older.issued(null, (s) => s.set('value', 5));
    await expect(newer.manager.open(token)).rejects.toThrow(TypeError);
    expect((await older.manager.open(token)).get('value')).toBe(5);
  });

  it('is not taken out of the session', async () => {
    const { older, newer } = releases({ value: z.number() });
    const token = await older.issued(null, (s) => s.set('value', 'old'));
    const session = await newer.manager.open(token);
    expect(await newer.manager.take(session, 'value', () => newer.manager.commit(session))).toBeUndefined();
  });

  it('is not brought in by a merge', async () => {
    const { older, newer } = releases({ value: z.number() });
    const left = await older.issued(null, (s) => s.set('value', 'old').set('visits', 5));
    const token = await newer.issued(null, (s) => s.set('value', 1));
    await newer.request(token, (s) => s.merge(left));
    expect((await newer.manager.open(token)).entries()).toEqual([
      ['value', 1],
      ['visits', 5],
    ]);
  });

  it('is dropped from what a login keeps', async () => {
    const { older, newer } = releases({ value: z.number() });
    const token = await older.issued(null, (s) => s.set('value', 'old').set('visits', 5));
    const next = await newer.issued(token, (s) => s.login({ id: 7 }));
    expect((await older.manager.open(next)).entries()).toEqual([['visits', 5]]);
  });

  it('is left out of what a support tool reads, without an event', async () => {
    const { older, newer } = releases({ value: z.number() });
    const token = await older.issued(null, (s) => s.set('value', 'old').set('visits', 5));
    const { id } = await older.manager.open(token);
    const record = await older.store.find(id, { signal: new AbortController().signal });
    expect(newer.manager.read(record!).data).toEqual({ visits: 5 });
    expect(newer.events).toEqual([]);
  });

  it('stays encoded while onMismatch throws, so that nothing unchecked is read after a first failure', async () => {
    const { older, newer } = releases({ value: z.number() }, () => {
      throw new Error('migration failed');
    });
    const token = await older.issued(null, (s) => s.set('value', 'old'));
    const session = await newer.manager.find(token);
    await expect(newer.manager.complete(session)).rejects.toThrow('migration failed');
    await expect(newer.manager.complete(session)).rejects.toThrow('migration failed');
  });
});
