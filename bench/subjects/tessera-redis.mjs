import { Redis } from 'ioredis';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { start as serve } from './tessera.mjs';

export { keepsSessions } from './tessera.mjs';

export function start(platform, { url, prefix }) {
  return serve(platform, { store: new RedisSessionStore(new Redis(url), { prefix: `${prefix}tessera:` }) });
}
