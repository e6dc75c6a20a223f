declare module 'nestjs-tessera' {
  interface SessionData {
    cart: string[];
  }
}

export {};
