import { NO_RIGHTS } from './rights';
import { decodeFacts, UnreadableBody } from './session-body';

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
