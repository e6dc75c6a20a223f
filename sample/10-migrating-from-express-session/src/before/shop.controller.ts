import { Body, Controller, Get, Post, Redirect, Req } from '@nestjs/common';
import type { Request } from 'express';
import { shopPage } from './shop.page';
import './session-data';
import { Stock } from './stock';

@Controller()
export class ShopController {
  constructor(private readonly stock: Stock) {}

  @Get()
  home(@Req() request: Request): string {
    return shopPage(request, request.session.cart ?? []);
  }

  @Post('cart')
  @Redirect('/', 303)
  async add(@Req() request: Request, @Body('item') item: string): Promise<void> {
    if (!(await this.stock.has(item))) return;
    request.session.cart = [...(request.session.cart ?? []), item].slice(-20);
  }
}
