export { fromKeyv } from './from-keyv';
export type { KeyvSessionStore } from './from-keyv';
export type { KeyvLike } from './keyv-far-side';
export { fromExpressStore } from './from-express-store';
export type { ExpressBridgedSessionStore } from './from-express-store';
export type { ExpressStoreLike } from './express-far-side';
