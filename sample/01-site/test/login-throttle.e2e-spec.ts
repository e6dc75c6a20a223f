import { manualClock } from 'nestjs-tessera/testing';
import { LoginThrottle } from '../src/login/login-throttle';
import { networkOf } from '../src/login/network-of';
import { Throttle } from '../src/login/throttle';

const MINUTE = 60 * 1000;
const clock = manualClock();

describe('the login throttle', () => {
  let throttle: LoginThrottle;

  beforeEach(() => (throttle = new LoginThrottle(clock)));

  it('lets five attempts at an account through, and the sixth wait for the rest of the window', () => {
    const at = (): number => throttle.attempt('::1', 'ada');
    expect(Array.from({ length: 5 }, at)).toEqual([0, 0, 0, 0, 0]);
    clock.advance(MINUTE);
    expect(at()).toBe(4 * MINUTE);
    clock.advance(4 * MINUTE - 1);
    expect(at()).toBe(1);
    clock.advance(1);
    expect(at()).toBe(0);
  });

  it('locks nobody out from another address', () => {
    for (let at = 0; at < 99; at++) throttle.attempt('10.0.0.1', 'ada');
    expect(throttle.attempt('10.0.0.2', 'ada')).toBe(0);
  });

  it('stops an address that tries many accounts, however many it has of its own', () => {
    for (let at = 0; at < 30; at++) expect(throttle.attempt('::1', `user ${at}`)).toBe(0);
    expect(throttle.attempt('::1', 'another')).toBeGreaterThan(0);
    throttle.succeeded('::1', 'another');
    expect(throttle.attempt('::1', 'yet another')).toBeGreaterThan(0);
  });

  it('is not made to forget by somebody who tries accounts without end', () => {
    for (let at = 0; at < 6; at++) throttle.attempt('10.0.0.1', 'ada');
    for (let at = 0; at < 30_000; at++) throttle.attempt('10.0.0.2', `user ${at}`);
    expect(throttle.attempt('10.0.0.1', 'ada')).toBeGreaterThan(0);
  });

  it('lets many people behind one address log in', () => {
    for (let at = 0; at < 100; at++) {
      expect(throttle.attempt('::1', `user ${at}`)).toBe(0);
      throttle.succeeded('::1', `user ${at}`);
    }
  });

  it('W29: lets twenty attempts at an account through from everywhere, and others wait for the rest of the window', () => {
    expect(guessFromEverywhere(20)).toBe(20);
    clock.advance(MINUTE);
    expect(throttle.attempt('10.0.9.1', 'ada')).toBe(14 * MINUTE);
    clock.advance(14 * MINUTE);
    expect(throttle.attempt('10.0.9.1', 'ada')).toBe(0);
  });

  it('W29: does not keep the owner out from an address that has logged in before', () => {
    throttle.attempt('192.0.2.1', 'ada');
    throttle.succeeded('192.0.2.1', 'ada');
    guessFromEverywhere(100);
    const waits = {
      owner: throttle.attempt('192.0.2.1', 'ada'),
      other: throttle.attempt('192.0.2.2', 'ada'),
    };
    expect(waits).toEqual({ owner: 0, other: 15 * MINUTE });
  });

  it('W29: still lets a familiar address guess five times only', () => {
    throttle.attempt('192.0.2.1', 'ada');
    throttle.succeeded('192.0.2.1', 'ada');
    const waits = Array.from({ length: 6 }, () => throttle.attempt('192.0.2.1', 'ada'));
    expect(waits).toEqual([0, 0, 0, 0, 0, 5 * MINUTE]);
  });

  it('W29: gives strangers no more guesses when the owner logs in', () => {
    guessFromEverywhere(19);
    throttle.attempt('192.0.2.1', 'ada');
    throttle.succeeded('192.0.2.1', 'ada');
    expect(guessFromEverywhere(20)).toBe(1);
  });

  it('W29: lets one address use up only its own guesses at an account', () => {
    for (let at = 0; at < 30; at++) throttle.attempt('10.0.0.1', 'ada');
    expect(guessFromEverywhere(20)).toBe(15);
  });

  /** One guess at Ada's account from each of so many addresses. Returns how many were let through. */
  function guessFromEverywhere(count: number): number {
    const addresses = Array.from({ length: count }, (_, at) => `10.1.${at >> 8}.${at & 255}`);
    return addresses.filter((address) => throttle.attempt(address, 'ada') === 0).length;
  }
});

describe('a throttle', () => {
  it('W29: forgets the keys that were tried longest ago, beyond 20,000', () => {
    const throttle = new Throttle({ attempts: 1, window: MINUTE }, clock);
    throttle.attempt('first');
    throttle.attempt('second');
    for (let at = 0; at < 19_998; at++) throttle.attempt(`key ${at}`);
    expect(throttle.attempt('first')).toBe(MINUTE);
    throttle.attempt('one more');
    expect({ first: throttle.attempt('first'), second: throttle.attempt('second') }).toEqual({
      first: MINUTE,
      second: 0,
    });
  });

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('W29: counts %s as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
