import { connectRedis } from './connect-redis.mjs';
import { serve } from './express-session.mjs';

export { keepsSessions } from './express-session.mjs';

export async function start(platform, options) {
  return serve(platform, await connectRedis(options));
}
