import { aRecord } from '../../testing/store-suite/records';
import { type SessionFile, decodeFile, encodeFile, fileTimeOf } from './session-file';

const record = aRecord({
  principal: 'default:ada\n"🦊',
  body: '1\n[0]\n[{"text":"two\\nlines, \u2028 and 🦊"}]',
});
const live = { kind: 'live', record, mark: 'a-mark' } as const;
const decode = (text: string | Buffer): SessionFile => decodeFile(Buffer.from(text as string), record.id);

describe('a session’s file', () => {
  it.each([live, { ...live, mark: null, record: { ...record, principal: null, body: '' } }])(
    'keeps everything',
    (file) => {
      expect(decode(encodeFile(file))).toEqual(file);
    },
  );

  it('D4: is never taken for another session when it is cut anywhere, or any bit of it has flipped', () => {
    const whole = Buffer.from(encodeFile(live));
    const damaged = [
      ...Array.from(whole, (_, length) => whole.subarray(0, length)),
      ...Array.from(whole, (byte, at) => Buffer.from(whole).fill(byte ^ (1 << (at % 8)), at, at + 1)),
    ];
    const found = damaged.map((bytes) => decodeFile(bytes, record.id));
    const readable = found.filter(({ kind }) => kind !== 'unreadable' && kind !== 'newer');
    expect(readable).toEqual(readable.map(() => ({ ...live, record: { ...record, body: '' } })));
  });

  it('belongs to the session in whose place it lies', () => {
    expect(decodeFile(Buffer.from(encodeFile(live)), aRecord().id)).toEqual({ kind: 'unreadable' });
  });

  it.each([
    '',
    '\n',
    '\n\n',
    'a line',
    'tessera-session',
    'tessera-session 1\n\n',
    'tessera-session 0 0 0\n\n',
  ])('D4: is unreadable when it is %j', (text) => expect(decode(text)).toEqual({ kind: 'unreadable' }));

  it('is dated at its expiry or before, whatever that is', () => {
    const date = (expiresAt: number): number => fileTimeOf({ ...live, record: { ...record, expiresAt } });
    expect([-1, 0, 999, 1000, 1_763_689_066_999].map(date)).toEqual([0, 0, 0, 1, 1_763_689_066]);
    expect(date(Date.UTC(9999, 11, 31))).toBe(2 ** 32 - 1);
  });
});
