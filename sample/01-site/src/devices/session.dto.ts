import { IsString, MaxLength } from 'class-validator';

/** Names a session by its public id. */
export class SessionDto {
  @IsString({ message: 'Choose a session' })
  @MaxLength(100, { message: 'Choose a session' })
  readonly id!: string;
}
