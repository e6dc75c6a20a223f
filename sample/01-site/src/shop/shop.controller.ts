import { Body, Controller, Get, Post, Redirect } from '@nestjs/common';
import { Session } from 'nestjs-tessera';
import { Page } from '../web/page.decorator';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { changed } from './cart';
import { ProductDto } from './cart.dto';
import { CATALOG } from './catalog';

@Controller('shop')
export class ShopController {
  @Get()
  @Page('shop', 'Shop')
  show(): object {
    return { products: CATALOG };
  }

  @Post()
  @Redirect()
  add(@Body() { product }: ProductDto, @Session() session: Session): SeeOther {
    session.update('cart', (cart) => changed(cart, product, 1));
    tell(session, 'notice', `${CATALOG.find(({ id }) => id === product)!.one} is in your cart.`);
    return seeOther('/shop');
  }
}
