import { Body, Controller, Get, Post, Redirect, UseGuards } from '@nestjs/common';
import { AuthGuard, Session } from 'nestjs-tessera';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { changed, linesOf } from './cart';
import { ProductDto } from './cart.dto';

/** A visitor's cart is in the session and needs no account. It is still there after logging in. */
@Controller('cart')
export class CartController {
  @Get()
  @Page('cart', 'Cart')
  show(@Session() session: Session): object {
    const lines = linesOf(session.get('cart'));
    return { lines, total: lines.reduce((sum, { price }) => sum + price, 0) };
  }

  @Post('more')
  @Redirect()
  more(@Body() { product }: ProductDto, @Session() session: Session): SeeOther {
    session.update('cart', (cart) => changed(cart, product, 1));
    return seeOther('/cart');
  }

  @Post('less')
  @Redirect()
  less(@Body() { product }: ProductDto, @Session() session: Session): SeeOther {
    session.update('cart', (cart) => changed(cart, product, -1));
    return seeOther('/cart');
  }

  /** For a visitor's link: it leads to the login, and back to here. */
  @Get('order')
  @UseGuards(AuthGuard)
  @Redirect()
  backToCart(): SeeOther {
    return seeOther('/cart');
  }

  @Post('order')
  @UseGuards(AuthGuard)
  @Redirect()
  order(@Session() session: Session): SeeOther {
    const lines = linesOf(session.pop('cart'));
    if (lines.length > 0) tell(session, 'notice', 'Thank you. A courier leaves at dawn.');
    else tell(session, 'warning', 'There is nothing in your cart.');
    return seeOther('/cart');
  }
}
