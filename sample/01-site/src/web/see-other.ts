import { HttpStatus } from '@nestjs/common';

/** What a handler under `@Redirect()` returns. */
export interface SeeOther {
  readonly url: string;
  readonly statusCode: HttpStatus.SEE_OTHER;
}

/** After a POST, "see other" makes the browser fetch the next page with GET; reloading it sends nothing twice. */
export function seeOther(url: string): SeeOther {
  return { url, statusCode: HttpStatus.SEE_OTHER };
}
