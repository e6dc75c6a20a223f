import { IsString, Length } from 'class-validator';

export class ConfirmForm {
  @IsString()
  @Length(1, 128)
  readonly password!: string;
}

export class LoginForm extends ConfirmForm {
  @IsString()
  @Length(1, 64)
  readonly name!: string;
}

export class NewPasswordForm {
  @IsString()
  @Length(1, 128)
  readonly current!: string;

  @IsString()
  @Length(12, 128)
  readonly next!: string;
}
