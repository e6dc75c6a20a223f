import { HttpException, HttpStatus } from '@nestjs/common';
import { lengthOfTime } from './words';

const MINUTE = 60 * 1000;

/** What was wrong with a form, for the page that shows it again. */
export interface FormReport {
  /** Says what is wrong with the whole. */
  readonly message?: string;
  /** By field. */
  readonly problems?: Readonly<Record<string, string>>;
}

/** A form cannot be accepted. Browsers are sent back to it with the report as a flash message, and what was typed; others get it as JSON. */
export class FormException extends HttpException {
  constructor(
    readonly report: FormReport,
    status: HttpStatus = HttpStatus.UNPROCESSABLE_ENTITY,
  ) {
    const { message = 'Some fields need another look', problems } = report;
    super({ statusCode: status, message, problems }, status);
  }
}

/** Says in how many minutes, rounded up. */
export class TooManyAttempts extends FormException {
  constructor(wait: number) {
    const minutes = Math.ceil(wait / MINUTE) * MINUTE;
    super(
      { message: `Too many attempts. Try again in ${lengthOfTime(minutes)}.` },
      HttpStatus.TOO_MANY_REQUESTS,
    );
  }
}
