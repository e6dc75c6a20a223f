import { IsString, Length } from 'class-validator';

export class LoginForm {
  @IsString()
  @Length(1, 64)
  readonly name!: string;

  @IsString()
  @Length(1, 128)
  readonly password!: string;
}

export class CartForm {
  @IsString()
  @Length(1, 60)
  readonly item!: string;
}
