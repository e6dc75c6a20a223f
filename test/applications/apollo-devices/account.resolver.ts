import { UnauthorizedException, UseGuards } from '@nestjs/common';
import { Args, Context, ID, Int, Mutation, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Field, ObjectType } from '@nestjs/graphql';
import { AuthGuard, SessionService, type LoggedInPrincipal } from 'nestjs-tessera';
import { Device, Devices } from './devices';
import { Uploads } from './uploads';

declare module 'nestjs-tessera' {
  interface SessionData {
    basket: string[];
    picture: string;
  }
}

@ObjectType()
class Account {
  @Field() userId!: string;
}

/** What a resolver finds in the context of an operation over HTTP. */
interface Operation {
  readonly req: { readonly headers: Record<string, string | undefined> };
}

const OWNER = { realm: 'default', id: '7' } as const;

/** Once `req.session.userId`, and a set of session ids for each user in Redis, to find the devices. */
@Resolver(() => Account)
export class AccountResolver {
  constructor(
    private readonly sessions: SessionService,
    private readonly devices: Devices,
    private readonly uploads: Uploads,
  ) {}

  @Query(() => Account, { nullable: true })
  async account(@Context() { req }: Operation): Promise<Account | null> {
    const { principal } = await this.sessions.of(req);
    return principal && { userId: principal.id };
  }

  @ResolveField(() => [Device])
  async devicesInUse(@Context() { req }: Operation): Promise<Device[]> {
    return this.devices.of(await this.#owner(req));
  }

  @ResolveField(() => [String])
  async basket(@Context() { req }: Operation): Promise<string[]> {
    return (await this.sessions.of(req)).get('basket') ?? [];
  }

  @Mutation(() => [String])
  async addToBasket(@Context() { req }: Operation, @Args('item') item: string): Promise<string[]> {
    return (await this.sessions.of(req)).update('basket', (basket = []) => [...basket, item]);
  }

  @Mutation(() => Boolean)
  async login(@Context() { req }: Operation, @Args('password') password: string): Promise<boolean> {
    if (password !== 'lovelace') throw new UnauthorizedException('Wrong password');
    await this.devices.makeRoom(OWNER);
    const constants = { device: req.headers['user-agent'] ?? 'unknown' };
    (await this.sessions.of(req)).login(OWNER, { constants });
    return true;
  }

  @Mutation(() => Boolean)
  async logout(@Context() { req }: Operation): Promise<boolean> {
    (await this.sessions.of(req)).logout();
    return true;
  }

  @UseGuards(AuthGuard)
  @Mutation(() => Boolean)
  async revokeDevice(
    @Context() { req }: Operation,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<boolean> {
    return this.devices.revoke(await this.#owner(req), id);
  }

  @UseGuards(AuthGuard)
  @Mutation(() => Int)
  async revokeAllDevices(@Context() { req }: Operation): Promise<number> {
    return this.devices.revokeAll(await this.#owner(req));
  }

  @UseGuards(AuthGuard)
  @Mutation(() => Boolean)
  async changePicture(@Context() { req }: Operation, @Args('picture') picture: string): Promise<boolean> {
    const session = await this.sessions.of(req);
    await this.uploads.store(picture);
    session.set('picture', picture);
    return true;
  }

  async #owner(req: object): Promise<LoggedInPrincipal> {
    return (await this.sessions.of(req)).principal!;
  }
}
