import { NO_RIGHTS } from './rights';
import { jsonCodec } from './session-codec';
import { decodeBody, decodeFacts, encodeBody, UnreadableBody } from './session-body';
import type { FormerSecret } from './secret-history';
import { newState, type SessionState } from './session-state';

const HASH = 'A'.repeat(22);
const bodyWith = (secrets: unknown): string => {
  return `1\n${JSON.stringify([0, 0, 1, null, 0, null, null, 0, secrets])}\n[{}]`;
};

it('D4: a history of secrets in its form is read', () => {
  const { secrets } = decodeFacts(bodyWith([5, HASH, [`~${HASH}`, 'elevate', 4, null, [null, null]]]));
  expect(secrets.former).toEqual([
    {
      hash: `~${HASH}`,
      by: 'elevate',
      at: 4,
      successorSeenAt: null,
      rights: NO_RIGHTS,
    },
  ]);
});

it.each([
  { what: 'a hash with a quote', secrets: [5, null, [`"${'A'.repeat(21)}`, 'login', 4, null]] },
  { what: 'an empty family', secrets: [5, ''] },
  { what: 'rights of a principal that is none', secrets: [5, null, [HASH, 'elevate', 4, null, [0, null]]] },
])('D4: $what makes a body unreadable', ({ secrets }) => {
  expect(() => decodeFacts(bodyWith(secrets))).toThrow(UnreadableBody);
});

describe('what the library keeps in a session', () => {
  const contentOf = (own: Record<string, unknown>): string => {
    const state = newState(0, { lifetime: 1, idleTimeout: null });
    return encodeBody({ ...state, own }, jsonCodec);
  };

  it('is read again, and absent when there is none', () => {
    expect({
      kept: decodeBody(contentOf({ csrf: ['A'] }), jsonCodec).own,
      none: decodeBody(contentOf({}), jsonCodec).own,
      text: contentOf({}).split('\n')[2],
    }).toEqual({ kept: { csrf: ['A'] }, none: {}, text: '[{}]' });
  });

  it.each([null, [], 'A', 1])('D4: makes a body unreadable as %p', (own) => {
    const body = bodyWith([5, null]).replace('[{}]', JSON.stringify([{}, {}, [], {}, null, own]));
    expect(() => decodeBody(body, jsonCodec)).toThrow(UnreadableBody);
  });
});

describe('the format of a body', () => {
  const ada = { id: 'ada', realm: 'default', roles: [] };
  const login = { ...NO_RIGHTS, principal: ada, authenticatedAt: 0, level: 1 };
  const former = { hash: HASH, by: 'elevate', at: 0, successorSeenAt: null, rights: null } as const;
  const formatOf = (given: Partial<SessionState>, secret: Partial<FormerSecret> = {}): string => {
    const secrets = { issuedAt: 0, family: null, former: [{ ...former, ...secret }] };
    const state = { ...newState(0, { lifetime: 1, idleTimeout: null }), secrets, ...given };
    const body = encodeBody(state, jsonCodec);
    expect(decodeBody(body, jsonCodec)).toEqual(state);
    return body.split('\n')[0]!;
  };

  it('D4: is the first for what every release reads in the same way', () => {
    const formats = {
      visitor: formatOf({}),
      login: formatOf(login),
      formerLogin: formatOf(login, { rights: login }),
    };
    expect(formats).toEqual({ visitor: '1', login: '1', formerLogin: '1' });
  });

  const pending = { ...login, isPending: true };
  const withClaims = { ...login, principal: { ...ada, claims: { scope: 'read' } } };

  it.each<{ what: string; given: Partial<SessionState>; secret?: Partial<FormerSecret> }>([
    { what: 'a pending login', given: pending },
    { what: 'a login that locks', given: { ...login, isLocking: true } },
    { what: 'an actor', given: { ...login, actor: { principal: ada, amr: [], level: 1, content: '[{}]' } } },
    { what: 'methods', given: { ...login, amr: ['pwd'] } },
    { what: 'a level', given: { ...login, level: 2 } },
    { what: 'claims', given: withClaims },
    { what: 'a device', given: { ...login, device: { label: 'A phone', address: null } } },
    { what: 'a secret of a pending login', given: login, secret: { rights: pending } },
    { what: 'a secret of a login with claims', given: login, secret: { rights: withClaims } },
    { what: 'a secret of an impersonation', given: login, secret: { by: 'act' } },
  ])('L14, D4: is one that the first release leaves alone with $what', ({ given, secret }) => {
    expect(formatOf(given, secret)).toBe('2');
  });
});
