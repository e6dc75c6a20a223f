import { connectRedis } from './connect-redis.mjs';
import { serve } from './fastify-session.mjs';

export { issuesOnWrite, keepsSessions } from './fastify-session.mjs';

/** It takes the stores of express-session, and connect-redis is the one in its examples. */
export async function start(platform, options) {
  return serve(platform, await connectRedis(options));
}
