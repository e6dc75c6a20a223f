import { startRedis } from '../support/servers';
import { PrivateServer } from '../support/servers/private-server';
import { redis, type ServerProgram } from '../support/servers/programs';
import type { Server } from '../support/servers/server';

/** What the sentinel calls its master. */
export const MASTER = 'sessions';

/** A master, its replica, and a sentinel that makes the one the other's successor. */
export interface WatchedRedis {
  readonly servers: readonly Server[];
  readonly sentinel: Server;
  /** Ends what was started besides the master. */
  stop(): Promise<void>;
}

export async function watchOver(master: Server): Promise<WatchedRedis> {
  const replica = await startRedis(['--replicaof', '127.0.0.1', String(master.port)]);
  try {
    const sentinel = await PrivateServer.launch(sentinelOf(master));
    const stop = async (): Promise<void> => void (await Promise.all([replica.stop(), sentinel.stop()]));
    return { servers: [master, replica], sentinel, stop };
  } catch (error) {
    await replica.stop();
    throw error;
  }
}

/** It writes down in its configuration what it learns, so that has to be a file. */
function sentinelOf(master: Server): ServerProgram {
  const lines = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 1`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 3000`,
  ];
  return {
    ...redis(),
    prepare: (_, data) => ['sh', '-c', `printf '%s\\n' "$@" > "$0"`, `${data}/sentinel.conf`, ...lines],
    serve: (program, data, port) => [
      program,
      `${data}/sentinel.conf`,
      '--sentinel',
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', data],
    ],
  };
}
