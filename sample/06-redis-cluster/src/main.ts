import cluster from 'node:cluster';

const PROCESSES = Number(process.env['PROCESSES'] ?? 3);

const listening = new Set<number>();
let isEnding = false;

function end(): void {
  isEnding = true;
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
}

// Starts the processes, which share one port, replaces those that crash, and ends them all at a signal.
cluster.setupPrimary({ exec: require.resolve('./server') });
cluster.on('listening', ({ id }, { port }) => {
  listening.add(id);
  if (listening.size === PROCESSES) console.log(`${PROCESSES} processes answer at http://localhost:${port}`);
});
cluster.on('exit', ({ id }) => {
  if (isEnding) return;
  if (listening.delete(id)) return void cluster.fork();
  // It could not even start, and neither could another one: it has said why.
  process.exitCode = 1;
  end();
});
process.once('SIGINT', end).once('SIGTERM', end);
for (let count = 0; count < PROCESSES; count++) cluster.fork();
