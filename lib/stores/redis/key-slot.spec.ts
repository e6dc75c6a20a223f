import { slotOf } from './key-slot';

describe('slotOf', () => {
  it.each([
    ['123456789', 12739],
    ['', 0],
    ['a', 15495],
    ['{a}', 15495],
    ['{a}{b}', 15495],
    ['x{a}y', 15495],
    ['{{a}}', 10276],
    ['{', 4092],
    ['}', 12090],
    ['{}', 15257],
    ['x{a', 6541],
    ['a}{b}', 3300],
    ['p:principal:a:🦊', 13336],
    ['é{ß}', 12625],
  ])('agrees with a Cluster about %p', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });
});
