import { Secret, TOTP } from 'otpauth';

/** One step before and one after: for the time that typing takes, and for a phone whose clock is a little off. */
const WINDOW = 1;

/** A secret for one account and its authenticator app, in base 32. 160 bits, as RFC 4226 recommends. */
export function newSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** The `otpauth:` address that an app takes the secret from, as a link or as a picture. */
export function addressOf(secret: string, email: string): string {
  return totpOf(secret, email).toString();
}

/**
 * The time step, of 30 seconds, to which a code belongs, or `null` for a wrong one (RFC 6238). A step has one code, so the last step used
 * says which codes are spent.
 */
export function stepOf(code: string, secret: string, now: number): number | null {
  const totp = totpOf(secret);
  const delta = totp.validate({ token: code, timestamp: now, window: WINDOW });
  return delta === null ? null : totp.counter({ timestamp: now }) + delta;
}

function totpOf(secret: string, label = ''): TOTP {
  return new TOTP({ issuer: 'The Night Watch', label, secret: Secret.fromBase32(secret) });
}
