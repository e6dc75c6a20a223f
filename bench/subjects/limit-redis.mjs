import { Redis } from 'ioredis';
import { startLimit } from './limit-stored.mjs';

export const keepsSessions = true;

const DAY = 86_400;

export function start(platform, { url, prefix }) {
  const redis = new Redis(url);
  return startLimit(platform, {
    find: async (id) => (await redis.get(`${prefix}limit:${id}`)) ?? undefined,
    put: (id, text) => redis.set(`${prefix}limit:${id}`, text, 'EX', DAY),
    remove: (id) => redis.del(`${prefix}limit:${id}`),
  });
}
