/** What an application declares, once. */
declare module 'nestjs-tessera' {
  interface SessionData {
    cart: string[];
    theme?: 'light' | 'dark';
    visitedAt: Date;
    byPage: Map<string, number>;
  }
  interface SessionConstants {
    tenant: string;
    limits: { readonly uploads: number };
  }
  interface PrincipalClaims {
    tenant: string;
    permissions: readonly string[];
  }
  interface SessionMessages {
    notice: string;
    undo: { readonly label: string; readonly path: string };
  }
}

export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when both types are one. */
export function same<A, B>(_same: Same<A, B>): void {}
