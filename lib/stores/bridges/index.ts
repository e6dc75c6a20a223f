export { fromKeyv } from './from-keyv';
export type { KeyvSessionStore } from './from-keyv';
export type { KeyvLike } from './adapted-keyv';
export { fromExpressStore } from './from-express-store';
export type { ExpressBridgedSessionStore } from './from-express-store';
export type { ExpressStoreLike } from './adapted-express-store';
