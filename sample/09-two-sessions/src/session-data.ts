declare module 'nestjs-tessera' {
  interface SessionData {
    cart: string[];
  }
  interface SessionConstants {
    name: string;
  }
}

export {};
