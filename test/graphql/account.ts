import { UseGuards } from '@nestjs/common';
import {
  Args,
  Field,
  Int,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import {
  AuthGuard,
  CsrfGuard,
  Principal,
  RequireRoles,
  Session,
  SessionService,
  type LoggedInPrincipal,
  type LoadedSession,
} from 'nestjs-tessera';
import '../support/session-data';

@ObjectType()
export class Account {
  @Field() id!: string;
}

/** What people do with a session in resolvers. */
@Resolver(() => Account)
export class AccountResolver {
  constructor(private readonly sessions: SessionService) {}

  @Query(() => Int)
  visits(@Session('visits') visits?: number): number {
    return visits ?? 0;
  }

  @Query(() => Int)
  untouched(): number {
    return 0;
  }

  @UseGuards(AuthGuard)
  @Query(() => Account)
  account(@Principal() { id }: LoggedInPrincipal): Account {
    return { id };
  }

  @UseGuards(AuthGuard)
  @RequireRoles('admin')
  @Query(() => Account)
  administrator(@Principal() { id }: LoggedInPrincipal): Account {
    return { id };
  }

  @ResolveField(() => [String])
  async cart(@Parent() _account: Account, @Session() session: LoadedSession): Promise<string[]> {
    return session.get('cart') ?? [];
  }

  @UseGuards(AuthGuard)
  @ResolveField(() => String)
  async secret(@Principal() { id }: LoggedInPrincipal): Promise<string> {
    return `of ${id}`;
  }

  /** Through the async context. */
  @ResolveField(() => Int)
  async visited(): Promise<number> {
    const session = await this.sessions.current();
    return session.update('visits', (visits = 0) => visits + 1);
  }

  @Mutation(() => Boolean)
  async login(
    @Args('id') id: string,
    @Args('roles', { type: () => [String], defaultValue: [] }) roles: string[],
  ): Promise<boolean> {
    await this.sessions.login({ id, roles });
    return true;
  }

  @Mutation(() => Boolean)
  async logout(@Session() session: LoadedSession): Promise<boolean> {
    session.logout();
    return true;
  }

  @Mutation(() => [String])
  add(@Session() session: LoadedSession, @Args('item') item: string): string[] {
    return session.update('cart', (cart = []) => [...cart, item]);
  }

  @Mutation(() => Boolean)
  mistake(@Session() session: LoadedSession): boolean {
    return session.set('value', () => {}) === session;
  }

  @UseGuards(CsrfGuard)
  @Mutation(() => Boolean)
  guarded(): boolean {
    return true;
  }
}
