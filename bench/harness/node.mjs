import { spawnSync } from 'node:child_process';

/** Goes on in another Node, if that is asked for, and ends with it. */
export function handOver(node) {
  if (node === process.execPath || node === process.env.BENCH_NODE) return;
  const { status, error } = spawnSync(node, process.argv.slice(1), {
    stdio: 'inherit',
    env: { ...process.env, BENCH_NODE: node },
  });
  if (error !== undefined) throw error;
  process.exit(status ?? 1);
}
