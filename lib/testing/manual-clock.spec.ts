import { manualClock } from './manual-clock';

describe('manualClock', () => {
  it('stands still until it is moved', () => {
    const clock = manualClock(1000);
    expect(clock()).toBe(1000);
    expect(clock()).toBe(1000);
  });

  it.each([
    [500, 1500],
    ['30m', 1_801_000],
    [-1000, 0],
    ['1d', 86_401_000],
  ])('advances by %p', (duration, expected) => {
    const clock = manualClock(1000);
    expect(clock.advance(duration)).toBe(expected);
    expect(clock()).toBe(expected);
  });

  it('jumps, back too', () => {
    const clock = manualClock();
    clock.set(42);
    expect(clock()).toBe(42);
  });

  it.each(['soon', '', NaN])('refuses to advance by %p', (duration) => {
    expect(() => manualClock().advance(duration)).toThrow(/needs milliseconds or a duration such as '30m'/);
  });
});
