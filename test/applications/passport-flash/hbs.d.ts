/** The used part of hbs; the package brings no types. */
declare module 'hbs' {
  interface Hbs {
    readonly __express: (
      path: string,
      options: object,
      done: (error: unknown, html?: string) => void,
    ) => void;
  }

  export function create(): Hbs;
}
