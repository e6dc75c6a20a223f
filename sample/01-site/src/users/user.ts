import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

export type Role = 'member' | 'admin';

@Entity('users')
export class User {
  @PrimaryGeneratedColumn()
  readonly id!: number;

  /** Trimmed and in lower case. */
  @Column({ type: 'text', unique: true })
  readonly email!: string;

  @Column({ type: 'text' })
  readonly name!: string;

  /** Left out of every query that does not ask for it by name. */
  @Column({ type: 'text', select: false })
  readonly passwordHash?: string;

  @Column({ type: 'text' })
  readonly role!: Role;

  /** Shared with the authenticator app, in base 32; `null` without a second factor. Left out like the hash. */
  @Column({ type: 'text', nullable: true, select: false })
  readonly totpSecret?: string | null;

  /** The time step of the code that was used last: that one and those before are spent. `null` without a second factor. */
  @Column({ type: 'integer', nullable: true })
  readonly totpUsedStep!: number | null;

  /** Epoch milliseconds. */
  @Column({ type: 'integer' })
  readonly joinedAt!: number;

  get hasSecondFactor(): boolean {
    return this.totpUsedStep !== null;
  }
}
