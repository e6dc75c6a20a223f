/** Packages that the guides name, and that this one does not install: the used part of their types. */
declare module 'iron-session' {
  export interface SessionOptions {
    cookieName: string;
    password: string | Record<string, string>;
    ttl?: number;
  }

  export type IronSession<T> = T & { save(): Promise<void>; destroy(): void };

  export function getIronSession<T extends object>(
    request: import('node:http').IncomingMessage,
    response: import('node:http').ServerResponse,
    options: SessionOptions,
  ): Promise<IronSession<T>>;
}

declare module 'express-socket.io-session' {
  export default function sharedSession(
    session: unknown,
    options?: { autoSave?: boolean },
  ): (socket: object) => void;
}
