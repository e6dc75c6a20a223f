import { errorType } from './error-type';
import { SessionError, SessionStoreError } from './session.errors';

const failed = (cause?: unknown) =>
  new SessionStoreError('find', 'it failed', cause === undefined ? {} : { cause });

it.each<[string, unknown, string]>([
  ['of an error of this library', new SessionError('SESSION_CONFLICT', 'again'), 'SESSION_CONFLICT'],
  ['of a call without an answer', failed(), 'timeout'],
  [
    'of a driver with a code',
    failed(Object.assign(new Error('no'), { code: 'ECONNREFUSED' })),
    'ECONNREFUSED',
  ],
  [
    'of the driver of a store that reports errors of this library',
    failed(failed(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))),
    'ECONNREFUSED',
  ],
  ['of a driver without one', failed(new TypeError('no')), 'TypeError'],
  ['of another error', new RangeError('no'), 'RangeError'],
  ['of a thrown value', 'text', '_OTHER'],
])('the kind %s is %s', (_what, error, kind) => expect(errorType(error)).toBe(kind));

it('T3: the kind of an error is no text of it', () => {
  const chatty = Object.assign(new Error('x'), {
    code: 'no user "ada"',
    name: 'Duplicate key (ada@example.com)',
  });
  expect(errorType(failed(chatty))).toBe('_OTHER');
});
