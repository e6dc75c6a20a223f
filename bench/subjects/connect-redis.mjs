import { requirePeer } from './define.mjs';

const { RedisStore } = requirePeer('connect-redis');
const { createClient } = requirePeer('redis');

/** As its manual sets it up; sessions last its usual day. */
export async function connectRedis({ url, prefix }) {
  const client = createClient({ url });
  client.on('error', (error) => console.error(error));
  await client.connect();
  return new RedisStore({ client, prefix: `${prefix}connect:` });
}
