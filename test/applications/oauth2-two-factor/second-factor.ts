import { Injectable } from '@nestjs/common';

/** One-time passwords. An application computes them (RFC 6238); here each user has one. */
@Injectable()
export class SecondFactor {
  /** Number of codes that were checked. */
  checked = 0;

  check(_userId: string, code: string): boolean {
    this.checked++;
    return code === '492039';
  }
}
