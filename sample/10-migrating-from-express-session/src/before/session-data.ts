declare module 'express-session' {
  interface SessionData {
    cart: string[];
  }
}

export {};
