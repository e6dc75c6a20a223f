import { jsonCodec } from '../../core/session-codec';
import { decodeBody } from '../../core/session-body';
import type { SecretHash } from '../../core/session-token';
import { fromEntryBody, toEntryBody, type ListEntry } from './list-entry';

const entries: ListEntry[] = [
  { kind: 'renewed', at: 1_900_000_000_000, principal: 'default:7', replaced: 'h' as SecretHash },
  {
    kind: 'renewed',
    at: 2,
    principal: 'default:7',
    replaced: 'h' as SecretHash,
    login: { actsAs: 'default:8', isPending: false, startedAt: 1, standsSince: 2, deadline: 3 },
  },
  { kind: 'renewed', at: 0, principal: null, replaced: 'h' as SecretHash },
  { kind: 'ended' },
  { kind: 'principal', deadUntil: 1_900_000_000_000 },
];

describe('an entry of the list', () => {
  it.each(entries)('comes back as it was: %j', (entry) => {
    expect(fromEntryBody(toEntryBody(entry))).toEqual(entry);
  });

  it.each(entries)('D4: is one of a later release to whoever takes it for a session: %j', (entry) => {
    expect(() => decodeBody(toEntryBody(entry), jsonCodec)).toThrow(expect.objectContaining({ newer: true }));
  });

  it.each([
    '',
    'x',
    '1\n[1,2,3,4,0]\n[{}]',
    '999999999\n',
    '999999999\nrubbish',
    '999999999\nnull',
    '999999999\n{"kind":"other"}',
    '999999999\n{"kind":"renewed"}',
    '999999999\n{"kind":"renewed","at":0,"replaced":"h","login":{"startedAt":1}}',
    '999999999\n{"kind":"principal","deadUntil":"soon"}',
  ])('is none when it cannot be read: %j', (body) => expect(fromEntryBody(body)).toBeNull());
});
