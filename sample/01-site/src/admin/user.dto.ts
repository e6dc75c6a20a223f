import { Transform } from 'class-transformer';
import { IsInt } from 'class-validator';

export class UserDto {
  @Transform(({ value }) => Number(value))
  @IsInt({ message: 'Choose a user' })
  readonly user!: number;
}
