import type { EndServer } from '../../core/end-channel';
import type { RedisConnection } from './redis-connection';
import { ENDED_CHANNEL } from './redis-scripts';

/** How long a message may take to be sent, in milliseconds. */
const SENDING_TIMEOUT = 2000;

/**
 * The channel on which the scripts publish ended sessions. On a Cluster it reaches all servers.
 * @param prefix that of the sessions' keys
 */
export function redisEndServer(connection: RedisConnection, prefix: string): EndServer {
  const channel = connection.hiddenPrefix + prefix + ENDED_CHANNEL;
  return {
    connect: (receive, lost, over) => connection.listen(channel, receive, lost, over),
    send: (message) =>
      connection.send(channel, ['publish', channel, message], {
        signal: AbortSignal.timeout(SENDING_TIMEOUT),
      }),
  };
}
