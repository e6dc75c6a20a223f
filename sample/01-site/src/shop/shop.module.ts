import { Module } from '@nestjs/common';
import { CartController } from './cart.controller';
import { ShopController } from './shop.controller';

@Module({ controllers: [ShopController, CartController] })
export class ShopModule {}
