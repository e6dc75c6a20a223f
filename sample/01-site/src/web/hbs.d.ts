/** The part of hbs that this site uses; the package brings no types. */
declare module 'hbs' {
  interface SafeString {
    toHTML(): string;
  }

  interface Hbs {
    readonly __express: (
      path: string,
      options: object,
      done: (error: unknown, html?: string) => void,
    ) => void;
    readonly SafeString: new (html: string) => SafeString;
    registerPartials(folder: string): void;
    registerHelper(name: string, helper: (...args: never[]) => unknown): void;
  }

  export function create(): Hbs;
}
