import type { Cart } from './shop/cart';
import type { FormReport } from './web/form.exception';

/** A page somebody has looked at. */
export interface Sight {
  readonly path: string;
  readonly title: string;
  readonly at: Date;
}

// The one declaration that types every get, set, update, flash and constant of this site.
declare module 'nestjs-tessera' {
  interface SessionData {
    /** How often this visitor has come to the front page. */
    visits: number;
    /** The pages seen, latest first. */
    history: Sight[];
    cart: Cart;
    /** A secret that the visitor's authenticator app is about to take, in base 32. */
    totpSecret: string;
  }

  /** Fixed by login, gone with it. */
  interface SessionConstants {
    name: string;
  }

  /** What one request may leave for the next page to say. */
  interface SessionMessages {
    notice: string;
    warning: string;
    form: FormReport;
  }
}
