/**
 * Sessions in a Keyv, or in a store made for express-session.
 * @module nestjs-tessera/bridges
 */
export { fromKeyv } from './from-keyv';
export type { KeyvSessionStore } from './from-keyv';
export type { KeyvLike } from './adapted-keyv';
export { fromExpressStore } from './from-express-store';
export type { ExpressBridgedSessionStore } from './from-express-store';
export type { ExpressStoreLike } from './adapted-express-store';
