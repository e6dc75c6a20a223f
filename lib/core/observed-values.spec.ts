import { ObservedValues } from './observed-values';
import { jsonCodec } from './session-codec';
import { newState } from './session-state';

const MINUTES = { lifetime: 60_000, idleTimeout: null };

describe('values that are followed', () => {
  const values = (): ObservedValues => new ObservedValues(jsonCodec, undefined);

  it('are recorded when they differ from what is there, and else not', () => {
    const observed = values();
    const data: Record<string, unknown> = { cart: ['pear'], visits: 1 };
    const isRecorded = (key: string, value: unknown): boolean => observed.follow(data, key, value) !== null;
    const recorded = {
      sameNumber: isRecorded('visits', 1),
      otherNumber: isRecorded('visits', 2),
      sameArray: isRecorded('cart', ['pear']),
      otherArray: isRecorded('cart', ['fig']),
      unsupported: isRecorded('bad', () => 1),
    };
    expect(recorded).toEqual({
      sameNumber: false,
      otherNumber: true,
      sameArray: false,
      otherArray: true,
      unsupported: true,
    });
  });

  it('are set again by the operation as they were', () => {
    const cart = ['pear'];
    const operation = values().follow({}, 'cart', cart);
    cart.push('fig');
    const state = newState(0, MINUTES);
    operation!.apply(state);
    expect(state.data).toEqual({ cart: ['pear'] });
  });

  it('are checked by the commit', () => {
    const observed = values();
    const data: Record<string, unknown> = {};
    observed.follow(data, 'bad', { at: { deep: new WeakMap() } });
    expect(() => observed.assertValid(data)).toThrow("The session cannot store 'bad'.at.deep");
  });

  it('tell whether they were changed in place', () => {
    const observed = values();
    const cart = ['pear'];
    observed.follow({}, 'cart', cart);
    const before = observed.isChanged('cart', cart);
    cart.push('fig');
    const after = observed.isChanged('cart', cart);
    const another = observed.isChanged('cart', ['fig']);
    expect({ before, after, another }).toEqual({ before: false, after: true, another: false });
  });
});
