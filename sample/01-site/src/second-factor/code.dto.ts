import { Transform, type TransformFnParams } from 'class-transformer';
import { Matches } from 'class-validator';

/** Apps show the digits in two groups. */
const digits = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' ? value.replace(/\s/g, '') : (value as unknown);

export class CodeDto {
  @Transform(digits)
  @Matches(/^\d{6}$/, { message: 'Enter the six digits that your app shows' })
  readonly otp!: string;
}
