// What the tests keep in sessions: one declaration for all of them, since they are one program.
declare module 'nestjs-tessera' {
  interface SessionData {
    cart: string[];
    theme: 'light' | 'dark';
    visits: number;
    /** Anything at all, to try values with. */
    value: unknown;
    other: unknown;
    __proto__: unknown;
    constructor: unknown;
    then: unknown;
    toString: unknown;
    hasOwnProperty: unknown;
  }

  interface SessionConstants {
    tenant: string;
    limits: { uploads: number };
  }
}

export {};
