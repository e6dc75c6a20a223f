import { Injectable } from '@nestjs/common';

export const GOODS = ['Oil lamp', 'Wax tablet', 'Laurel wreath'];

/** What the shop has. A real one asks its database, and other requests run meanwhile. */
@Injectable()
export class Stock {
  has(item: string): Promise<boolean> {
    return Promise.resolve(GOODS.includes(item));
  }
}
