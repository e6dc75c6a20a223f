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

  /** Epoch milliseconds. */
  @Column({ type: 'integer' })
  readonly joinedAt!: number;
}
