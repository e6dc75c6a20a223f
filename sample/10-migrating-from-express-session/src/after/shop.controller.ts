import { Body, Controller, Get, Post, Redirect, Req } from '@nestjs/common';
import type { Request } from 'express';
import { Session } from 'nestjs-tessera';
import { shopPage } from '../before/shop.page';
import { Stock } from '../before/stock';
import './session-data';

/** The controller of before, with `@Session()` instead of `request.session`. Both are the same data. */
@Controller()
export class ShopController {
  constructor(private readonly stock: Stock) {}

  @Get()
  home(@Req() request: Request, @Session() session: Session): string {
    return shopPage(request, session.get('cart') ?? []);
  }

  @Post('cart')
  @Redirect('/', 303)
  async add(@Session() session: Session, @Body('item') item: string): Promise<void> {
    if (!(await this.stock.has(item))) return;
    // Is called again with the cart of a request that was faster, and so no item is lost.
    session.update('cart', (cart = []) => [...cart, item].slice(-20));
  }
}
