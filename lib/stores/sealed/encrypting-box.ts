import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { bytesOf, fromBase64url } from './bytes';
import { NONCE_BYTES, nextNonce } from './random-nonce';
import type { SealedBox } from './sealed-box';

const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;

/** Without this option Node accepts shorter tags, which are easier to guess. */
const FULL_TAG = { authTagLength: TAG_BYTES };

/** Both in base64url. The last four bits of a tag's last character are unused, and must be zero. */
const NONCE_FORM = /^[\w-]{16}$/;
const TAG_FORM = /^[\w-]{21}[AQgw]$/;
const NONCE_LENGTH = 16;
const TAG_LENGTH = 22;

const nonceBuffer = Buffer.allocUnsafeSlow(NONCE_BYTES);
const tagBuffer = Buffer.allocUnsafeSlow(TAG_BYTES);

/** Encrypts: JWE compact serialization with a direct key, `header..nonce.ciphertext.tag` (RFC 7516); `alg` is `dir`, `enc` is `A256GCM`. */
export class EncryptingBox implements SealedBox {
  static readonly algorithm = { alg: 'dir', enc: 'A256GCM' };

  readonly #associated: Buffer;

  constructor(
    readonly header: string,
    private readonly key: KeyObject,
  ) {
    this.#associated = Buffer.from(header, 'latin1');
  }

  seal(text: string): string {
    const nonce = nextNonce();
    const cipher = createCipheriv(CIPHER, this.key, nonce);
    cipher.setAAD(this.#associated);
    const content = cipher.update(bytesOf(text)).toString('base64url');
    cipher.final();
    return `${this.header}..${nonce.toString('base64url')}.${content}.${cipher.getAuthTag().toString('base64url')}`;
  }

  open(value: string): string | null {
    const nonceAt = this.header.length + 2;
    const contentAt = nonceAt + NONCE_LENGTH + 1;
    const tagAt = value.length - TAG_LENGTH;
    const nonce = value.slice(nonceAt, contentAt - 1);
    const tag = value.slice(tagAt);
    const isWhole =
      tagAt > contentAt &&
      value.startsWith('..', this.header.length) &&
      NONCE_FORM.test(nonce) &&
      value[contentAt - 1] === '.' &&
      value[tagAt - 1] === '.' &&
      TAG_FORM.test(tag);
    const content = isWhole ? fromBase64url(value.slice(contentAt, tagAt - 1)) : null;
    return content && this.#decrypt(nonce, content, tag);
  }

  #decrypt(nonce: string, content: Buffer, tag: string): string | null {
    nonceBuffer.write(nonce, 'base64url');
    tagBuffer.write(tag, 'base64url');
    const decipher = createDecipheriv(CIPHER, this.key, nonceBuffer, FULL_TAG);
    decipher.setAAD(this.#associated).setAuthTag(tagBuffer);
    const bytes = decipher.update(content);
    try {
      decipher.final();
    } catch {
      return null;
    }
    return bytes.toString();
  }
}
