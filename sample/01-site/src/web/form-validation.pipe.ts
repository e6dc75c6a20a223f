import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { FormException } from './form.exception';

/** class-validator for forms: unknown fields are dropped, and each field reports its first problem. */
export class FormValidationPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      exceptionFactory: toFormException,
    });
  }
}

function toFormException(errors: ValidationError[]): FormException {
  const problems = Object.fromEntries(
    errors.map(({ property, constraints = {} }) => [
      property,
      Object.values(constraints).at(-1) ?? 'Not valid',
    ]),
  );
  return new FormException({ problems });
}
