import { UseGuards } from '@nestjs/common';
import { Args, Int, Mutation, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { AuthGuard, Principal, RequireRoles, Session, SessionRegistry } from 'nestjs-tessera';
import { Account } from './account';
import './session-data';
import { Users } from './users';

@Resolver(() => Account)
export class AccountResolver {
  constructor(
    private readonly users: Users,
    private readonly registry: SessionRegistry,
  ) {}

  /** The new cookie is in the answer of the operation. */
  @Mutation(() => Account)
  async login(
    @Session() session: Session,
    @Args('name') name: string,
    @Args('password') password: string,
  ): Promise<Account> {
    const roles = await this.users.verify(name, password);
    session.login({ id: name, roles });
    return { name, roles };
  }

  @Mutation(() => Boolean)
  logout(@Session() session: Session): boolean {
    session.logout();
    return true;
  }

  @UseGuards(AuthGuard)
  @Query(() => Account)
  me(@Principal() { id, roles }: Principal): Account {
    return { name: id, roles };
  }

  /** `me { cart }` and all else of an operation share one session, which is loaded once. */
  @ResolveField(() => [String])
  cart(@Session('cart') cart: string[] = []): string[] {
    return cart;
  }

  /** How many sessions there are, those of visitors too. */
  @RequireRoles('bookseller')
  @Query(() => Int)
  sessions(): Promise<number> {
    return this.registry.count();
  }
}
