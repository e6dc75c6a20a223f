import { LoginThrottle } from '../src/login/login-throttle';

const WINDOW = 5 * 60 * 1000;

describe('the login throttle', () => {
  it('lets five attempts at an account through, and the sixth wait for the rest of the window', () => {
    const throttle = new LoginThrottle();
    for (let at = 0; at < 5; at++) expect(throttle.attempt('::1', 'ada', at)).toBe(0);
    expect(throttle.attempt('::1', 'ada', 1000)).toBe(WINDOW - 1000);
    expect(throttle.attempt('::1', 'ada', WINDOW - 1)).toBe(1);
    expect(throttle.attempt('::1', 'ada', WINDOW)).toBe(0);
  });

  it('locks nobody out from another address', () => {
    const throttle = new LoginThrottle();
    for (let at = 0; at < 9; at++) throttle.attempt('10.0.0.1', 'ada', at);
    expect(throttle.attempt('10.0.0.2', 'ada', 9)).toBe(0);
  });

  it('stops an address that tries many accounts, however many it has of its own', () => {
    const throttle = new LoginThrottle();
    for (let at = 0; at < 30; at++) expect(throttle.attempt('::1', `user ${at}`, at)).toBe(0);
    expect(throttle.attempt('::1', 'another', 30)).toBeGreaterThan(0);
    throttle.succeeded('::1', 'another');
    expect(throttle.attempt('::1', 'yet another', 31)).toBeGreaterThan(0);
  });

  it('is not made to forget by somebody who tries accounts without end', () => {
    const throttle = new LoginThrottle();
    for (let at = 0; at < 6; at++) throttle.attempt('10.0.0.1', 'ada', at);
    for (let at = 0; at < 30_000; at++) throttle.attempt('10.0.0.2', `user ${at}`, 10);
    expect(throttle.attempt('10.0.0.1', 'ada', 20)).toBeGreaterThan(0);
  });

  it('lets many people behind one address log in', () => {
    const throttle = new LoginThrottle();
    for (let at = 0; at < 100; at++) {
      expect(throttle.attempt('::1', `user ${at}`, at)).toBe(0);
      throttle.succeeded('::1', `user ${at}`);
    }
  });
});
