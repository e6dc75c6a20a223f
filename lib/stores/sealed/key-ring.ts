import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { EncryptingBox } from './encrypting-box';
import type { SealedBox } from './sealed-box';
import { SigningBox } from './signing-box';

/** What a value is good for: nothing that was sealed for another purpose, instance or cookie opens. */
export interface SealPurpose {
  /** The session instance. */
  readonly instance: string;
  /** What carries the value, the cookie for instance. */
  readonly channel: string;
  /** Whether the content is signed only, for the client to read. */
  readonly readable: boolean;
}

/** What the keys of this release are derived for; stands in every header. */
const TYPE = 'tessera';

/** Keys at work for one purpose: the first one seals, all of them open. */
export class KeyRing {
  readonly #boxes: readonly SealedBox[];

  /** @param keys from the current to the oldest; one at least */
  constructor(keys: readonly KeyObject[], purpose: SealPurpose) {
    this.#boxes = keys.map((key) => boxOf(key, purpose));
  }

  seal(text: string): string {
    return this.#boxes[0]!.seal(text);
  }

  /**
   * The key that a value claims to be sealed with, or `null`. A header is known by its text or not at all: it is never parsed, so
   * nothing in it can ask for another algorithm.
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
