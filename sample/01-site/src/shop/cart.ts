import { CATALOG, type Product } from './catalog';

/** How many of each product. Sessions keep a Map as it is. */
export type Cart = Map<string, number>;

/** A line of the cart, for the page. */
export interface CartLine {
  readonly product: Product;
  readonly quantity: number;
  readonly price: number;
}

const MOST_OF_ONE = 99;

/**
 * The cart with more of a product, or less. A new Map, for `session.update`: when a parallel request has written first, it is
 * called once more with the cart that one left.
 */
export function changed(cart: Cart | undefined, product: string, by: number): Cart {
  const quantity = Math.min((cart?.get(product) ?? 0) + by, MOST_OF_ONE);
  const next = new Map(cart);
  if (quantity > 0) next.set(product, quantity);
  else next.delete(product);
  return next;
}

export function countItems(cart: Cart | undefined): number {
  return [...(cart?.values() ?? [])].reduce((sum, quantity) => sum + quantity, 0);
}

/** In the catalog's order; what is not sold any more is left out. */
export function linesOf(cart: Cart | undefined): CartLine[] {
  return CATALOG.flatMap((product) => {
    const quantity = cart?.get(product.id) ?? 0;
    return quantity > 0 ? [{ product, quantity, price: quantity * product.price }] : [];
  });
}
