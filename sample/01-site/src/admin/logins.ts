import { Injectable } from '@nestjs/common';
import { SessionRegistry, type LoadedSession, type LoggedInPrincipal } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';

/** A session that is logged in, for the administrator's list. */
export interface Login {
  readonly id: string;
  readonly name: string;
  /** The name of the user as whom it acts, or `null`. */
  readonly subject: string | null;
  readonly device: LoadedSession['device'];
  /** Epoch milliseconds. */
  readonly lastSeenAt: number;
  readonly isCurrent: boolean;
}

@Injectable()
export class Logins {
  constructor(
    private readonly registry: SessionRegistry,
    private readonly users: UsersService,
  ) {}

  /**
   * The logins of everybody, the last used first. Reads every session, those of visitors too. With more than some thousands of them, ask
   * for those of one account: `registry.list(principal)` costs what that account has.
   */
  async all({ id: current }: LoadedSession): Promise<Login[]> {
    const names = new Map((await this.users.all()).map(({ id, name }) => [String(id), name]));
    const nameOf = (user: LoggedInPrincipal): string => names.get(user.id) ?? 'unknown';
    const logins: Login[] = [];
    for await (const { id, principal, actor, device, lastSeenAt } of this.registry.all()) {
      if (principal === null) continue;
      const subject = actor === null ? null : nameOf(principal);
      const isCurrent = id === current;
      logins.push({ id, name: nameOf(actor ?? principal), subject, device, lastSeenAt, isCurrent });
    }
    return logins.sort((a, b) => b.lastSeenAt - a.lastSeenAt);
  }
}
