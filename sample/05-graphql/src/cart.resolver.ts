import { BadRequestException } from '@nestjs/common';
import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Session } from 'nestjs-tessera';
import './session-data';

const BOOKS = ['Aeneid', 'Meditations', 'Metamorphoses'];
const MOST = 50;

/** A cart needs no login: it is in the session of any visitor, and stays there when one logs in. */
@Resolver()
export class CartResolver {
  @Query(() => [String])
  books(): string[] {
    return BOOKS;
  }

  @Query(() => [String])
  cart(@Session('cart') cart: string[] = []): string[] {
    return cart;
  }

  /** `update`, so that of two operations at the same time neither loses what the other has added. */
  @Mutation(() => [String])
  addToCart(@Session() session: Session, @Args('book') book: string): string[] {
    if (!BOOKS.includes(book)) throw new BadRequestException(`There is no book "${book}"`);
    return session.update('cart', (cart = []) => [...cart, book].slice(-MOST));
  }
}
