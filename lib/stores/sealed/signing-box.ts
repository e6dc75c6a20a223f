import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { bytesOf, fromBase64url } from './bytes';
import type { SealedBox } from './sealed-box';

/** 32 bytes in base64url. */
const SIGNATURE_LENGTH = 43;

/** Signs: JWS compact serialization, `header.content.signature` (RFC 7515); `alg` is `HS256`. The content is not encrypted. */
export class SigningBox implements SealedBox {
  static readonly algorithm = { alg: 'HS256' };

  constructor(
    readonly header: string,
    private readonly key: KeyObject,
  ) {}

  seal(text: string): string {
    const signed = `${this.header}.${bytesOf(text).toString('base64url')}`;
    return `${signed}.${this.#sign(signed)}`;
  }

  open(value: string): string | null {
    const contentAt = this.header.length + 1;
    const signatureAt = value.length - SIGNATURE_LENGTH;
    if (signatureAt <= contentAt || value[signatureAt - 1] !== '.') return null;
    const isGenuine = isSame(value.slice(signatureAt), this.#sign(value.slice(0, signatureAt - 1)));
    return isGenuine ? (fromBase64url(value.slice(contentAt, signatureAt - 1))?.toString() ?? null) : null;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }
}

/** Compares in constant time. Comparing texts, not bytes, accepts only one text per signature. */
function isSame(given: string, expected: string): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === SIGNATURE_LENGTH && timingSafeEqual(bytes, Buffer.from(expected));
}
