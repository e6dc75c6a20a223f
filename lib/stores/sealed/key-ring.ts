import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { EncryptingBox } from './encrypting-box';
import type { SealedBox } from './sealed-box';
import { SigningBox } from './signing-box';

/** Part of the key derivation: a value sealed for one purpose does not open for another. */
export interface SealPurpose {
  /** Name of the session instance. */
  readonly instance: string;
  /** What carries the value, such as a cookie: the transport's `sealedFor`. */
  readonly channel: string;
  /** Whether the content is signed but not encrypted, so that the client can read it. */
  readonly readable: boolean;
}

/** Content type in every header, `typ`. */
const TYPE = 'tessera';

/** The keys for one purpose: the first one seals, all of them open. */
export class KeyRing {
  readonly #boxes: readonly SealedBox[];

  /** @param keys from the current to the oldest; at least one */
  constructor(keys: readonly KeyObject[], purpose: SealPurpose) {
    this.#boxes = keys.map((key) => boxOf(key, purpose));
  }

  seal(text: string): string {
    return this.#boxes[0]!.seal(text);
  }

  /**
   * Returns the box whose header the value has, or `null`. Headers are compared as text and never parsed, so a header cannot select
   * another algorithm (RFC 8725 section 3.1).
   */
  boxOf(value: string): SealedBox | null {
    for (const box of this.#boxes) {
      const { length } = box.header;
      if (value[length] === '.' && value.slice(0, length) === box.header) return box;
    }
    return null;
  }
}

function boxOf(key: KeyObject, { instance, channel, readable }: SealPurpose): SealedBox {
  const derive = (use: string, bytes: number): Buffer => {
    const info = JSON.stringify(['nestjs-tessera/sealed', 1, use, instance, channel]);
    return Buffer.from(hkdfSync('sha256', key, '', info, bytes));
  };
  const Box = readable ? SigningBox : EncryptingBox;
  const kid = derive('kid', 6).toString('base64url');
  const header = JSON.stringify({ ...Box.algorithm, kid, typ: TYPE, aud: channel });
  return new Box(
    Buffer.from(header).toString('base64url'),
    createSecretKey(derive(readable ? 'sign' : 'seal', 32)),
  );
}
