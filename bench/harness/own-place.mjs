import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * A place on a database server for as long as some work takes: a database, or a prefix for keys, and nothing remains of it. The server is the one
 * that `POSTGRES_URL` or `REDIS_URL` names, else a private one.
 * @param kind `postgres` or `redis`
 * @param work gets the place's `url` and `prefix`
 */
export async function inOwnPlace(kind, work) {
  const keeper = fork(fileURLToPath(new URL('own-place-keeper.mjs', import.meta.url)), [kind], {
    execArgv: [],
  });
  const ended = once(keeper, 'exit');
  try {
    const place = await Promise.race([
      once(keeper, 'message').then(([message]) => message),
      ended.then(() => Promise.reject(new Error(`There is no place for sessions in ${kind}.`))),
    ]);
    return await work(place);
  } finally {
    if (keeper.connected) keeper.disconnect();
    await ended;
  }
}
