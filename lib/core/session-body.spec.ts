import { NO_RIGHTS } from './rights';
import { jsonCodec } from './session-codec';
import { decodeBody, decodeFacts, encodeBody, UnreadableBody } from './session-body';
import { newState } from './session-state';

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
