/**
 * `req.session`, for middleware made for express-session, `@fastify/session` or `@fastify/secure-session`.
 * @module nestjs-tessera/express-session
 */
export { fastifyRequestSession, requestSession } from './request-session.middleware';
export type { RequestSessionOptions } from './request-session.middleware';
export { RequestSession } from './request-session';
export { FastifyRequestSession } from './fastify-session';
export type { SessionCookie } from './session-cookie';
