import { IsBoolean, IsEmail, IsString, Length, MaxLength } from 'class-validator';
import { Transform, type TransformFnParams } from 'class-transformer';

/** Form fields are text; anything else is left for the validator to refuse. */
const tidy = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' ? value.trim().replace(/\s+/g, ' ') : (value as unknown);
const lowerCase = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' ? value.trim().toLowerCase() : (value as unknown);
/** A checkbox is sent when it is ticked, and only then. */
const ticked = ({ value }: TransformFnParams): boolean => value === 'on';

export class PasswordDto {
  @IsString({ message: 'Enter your password' })
  @Length(1, 128, { message: 'Enter your password' })
  readonly password!: string;
}

export class LoginDto extends PasswordDto {
  @Transform(lowerCase)
  @IsEmail({}, { message: 'Enter an email address, like ada@example.com' })
  @MaxLength(254, { message: 'An email address has at most 254 characters' })
  readonly email!: string;

  @Transform(ticked)
  @IsBoolean()
  readonly remember: boolean = false;
}

export class NewPasswordDto {
  // Length is what counts; rules about digits and punctuation make passwords worse (NIST SP 800-63B).
  @IsString({ message: 'Choose a password' })
  @Length(12, 128, { message: 'Choose a password of 12 to 128 characters' })
  readonly password!: string;
}

export class SignUpDto extends NewPasswordDto {
  @Transform(tidy)
  @IsString({ message: 'Enter your name' })
  @Length(1, 60, { message: 'Enter your name, in at most 60 characters' })
  readonly name!: string;

  @Transform(lowerCase)
  @IsEmail({}, { message: 'Enter an email address, like ada@example.com' })
  @MaxLength(254, { message: 'An email address has at most 254 characters' })
  readonly email!: string;
}
