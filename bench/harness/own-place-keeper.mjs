// The process that holds a place on a database server: node own-place-keeper.mjs <kind>. Leaves it when its parent lets go or is gone. It
// is the tests' way to get a server, which is TypeScript, and so in a process of its own.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('../../test/sessions/process/typescript.js');
const servers = '../../test/support/servers';
const { ownPlace } = require(`${servers}/own-place`);
const { startPostgres, startRedis } = require(`${servers}/private-server`);
const { sourceOf, surroundings } = require(`${servers}/source`);

const kind = process.argv[2];
const source = sourceOf(kind, surroundings());
if (source.kind === 'missing') throw new Error(source.advice);

const gone = new Promise((done) => process.once('disconnect', done));
// Ctrl-C goes to everybody in the terminal; the parent's end is what counts.
process.on('SIGINT', () => {});
const server =
  source.kind === 'given' ? undefined : await (kind === 'redis' ? startRedis() : startPostgres());
try {
  const place = await ownPlace(kind, source.kind === 'given' ? source.urls : [server.url]);
  try {
    if (process.connected) process.send({ url: place.url, prefix: place.prefix });
    await gone;
  } finally {
    await place.leave();
  }
} finally {
  await server?.stop();
}
