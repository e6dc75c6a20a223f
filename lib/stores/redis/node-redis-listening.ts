import { destroyClient, openClient, type NodeRedisSingle } from './node-redis-client';
import type { NodeRedisClient } from './redis-client';
import { textOf } from './redis-reply';

type Receive = (message: string) => void;

/** A client with a connection for messages beside its others: that of Sentinels. */
interface ListeningClient extends NodeRedisClient {
  subscribe(channel: string, listener: (message: string | Buffer) => void): Promise<unknown>;
  unsubscribe(channel: string, listener: (message: string | Buffer) => void): Promise<unknown>;
}

/**
 * Opens a connection to the server of a client. It does not connect again, so that no message is missed unnoticed. It may be silent for longer
 * than the application allows its own: messages test it.
 */
export async function listenBeside(
  client: NodeRedisSingle,
  channel: string,
  receive: Receive,
  lost: () => void,
  over: AbortSignal,
): Promise<void> {
  const { socket } = client.options ?? {};
  const own = client.duplicate({ socket: { ...socket, reconnectStrategy: false, socketTimeout: undefined } });
  const close = (): void => void destroyClient(own);
  for (const event of ['error', 'end']) own.on(event, lost);
  over.addEventListener('abort', close, { once: true });
  await openClient(own);
  if (over.aborted) return close();
  await (own as NodeRedisClient as ListeningClient).subscribe(channel, (message) => receive(textOf(message)));
}

/** Uses the client's own connection for messages. When it connects again, nothing tells. */
export async function listenThrough(
  client: NodeRedisClient,
  channel: string,
  receive: Receive,
  over: AbortSignal,
): Promise<void> {
  const listening = client as ListeningClient;
  const hear = (message: string | Buffer): void => receive(textOf(message));
  const leave = (): void => void listening.unsubscribe(channel, hear).catch(() => undefined);
  await listening.subscribe(channel, hear);
  if (over.aborted) return leave();
  over.addEventListener('abort', leave, { once: true });
}
