import { Inject, Injectable } from '@nestjs/common';
import { Field, ID, ObjectType } from '@nestjs/graphql';
import {
  SESSION_STORE,
  SessionManager,
  type LoggedInPrincipal,
  type PrincipalIndexedStore,
  type SessionId,
  type SessionStore,
} from 'nestjs-tessera';

declare module 'nestjs-tessera' {
  interface SessionConstants {
    device: string;
  }
}

@ObjectType()
export class Device {
  /** The public id of its session. */
  @Field(() => ID) id!: SessionId;
  @Field() name!: string;
  @Field() lastSeenAt!: Date;
}

const MAX_DEVICES = 3;

/** The devices on which a user is logged in: a session each. */
@Injectable()
export class Devices {
  constructor(
    @Inject(SESSION_STORE) private readonly store: SessionStore & PrincipalIndexedStore,
    private readonly manager: SessionManager,
  ) {}

  async of({ realm, id }: Pick<LoggedInPrincipal, 'realm' | 'id'>): Promise<Device[]> {
    const records = await this.store.findByPrincipal(`${realm}:${id}`, call());
    return records
      .map((record) => this.manager.read(record))
      .filter(({ expiresAt }) => expiresAt > this.manager.settings.clock())
      .sort((one, other) => other.lastSeenAt - one.lastSeenAt)
      .map(({ id, constants, lastSeenAt }) => ({
        id,
        name: constants.device ?? 'unknown',
        lastSeenAt: new Date(lastSeenAt),
      }));
  }

  /** Ends the session of a user's device. Returns whether there was one. */
  async revoke(owner: LoggedInPrincipal, id: string): Promise<boolean> {
    const device = (await this.of(owner)).find((device) => device.id === id);
    if (device !== undefined) await this.store.delete(device.id, call());
    return device !== undefined;
  }

  /** Ends the sessions of all devices. */
  async revokeAll({ realm, id }: LoggedInPrincipal): Promise<number> {
    return this.store.deleteByPrincipal(`${realm}:${id}`, call());
  }

  /** Makes room for one more device: ends those that were not used for the longest time. */
  async makeRoom(owner: Pick<LoggedInPrincipal, 'realm' | 'id'>): Promise<void> {
    const superfluous = (await this.of(owner)).slice(MAX_DEVICES - 1);
    await Promise.all(superfluous.map(({ id }) => this.store.delete(id, call())));
  }
}

function call(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(3000) };
}
