import { IsIn } from 'class-validator';
import { PRODUCT_IDS } from './catalog';

export class ProductDto {
  @IsIn(PRODUCT_IDS, { message: 'We do not sell this' })
  readonly product!: string;
}
