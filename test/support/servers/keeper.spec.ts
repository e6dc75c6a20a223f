import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describeSome } from '../long';
import { itUnless } from '../not-run';
import { anyRuns, freezeTree, thawTree } from './process-tree';
import { PID_FILE } from './server-directory';
import { privateSourceOf, surroundings } from './source';

const starters = [
  { name: 'PostgreSQL', kind: 'postgres', starter: 'startPostgres', processes: 2 },
  { name: 'MariaDB', kind: 'mariadb', starter: 'startMariadb', processes: 1 },
  { name: 'Redis', kind: 'redis', starter: 'startRedis', processes: 1 },
  { name: 'a Redis Cluster', kind: 'redis-cluster', starter: 'startRedisCluster', processes: 6 },
] as const;

const isQuick = ({ kind }: (typeof starters)[number]) => kind === 'redis';

describeSome(starters, isQuick, 'a process is killed that has started', ({ kind, starter, processes }) => {
  const source = privateSourceOf(kind, surroundings());
  // With CI=true it is servers.spec.ts that fails.
  const missing = source.kind === 'missing' ? source.advice : null;
  let tmp: string;
  let child: ChildProcess;

  beforeEach(() => {
    tmp = mkdtempSync(join(tmpdir(), 'tessera-killed-'));
    chmodSync(tmp, 0o711);
    const typescript = resolve(__dirname, '../../sessions/process/typescript.js');
    const program = `require(${JSON.stringify(__dirname)}).${starter}().then(() => console.log('ready'))`;
    child = spawn(process.execPath, ['-r', typescript, '-e', `${program}; setInterval(() => {}, 1000)`], {
      env: { ...process.env, TMPDIR: tmp },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  });

  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(tmp, { recursive: true, force: true });
  });

  itUnless(missing, 'takes it along, and its directory', async () => {
    await once(child.stdout!, 'data');
    const pids = running(tmp);
    expect(pids.length).toBeGreaterThanOrEqual(processes);
    child.kill('SIGKILL');
    await until(() => readdirSync(tmp).length === 0);
    expect(anyRuns(pids)).toBe(false);
  });

  itUnless(missing, 'takes it along when it was just starting', async () => {
    await until(() => running(tmp).length > 0);
    const pids = running(tmp);
    child.kill('SIGKILL');
    await until(() => readdirSync(tmp).length === 0);
    expect(anyRuns(pids)).toBe(false);
  });
});

/** Every process of the servers below a directory. */
function running(tmp: string): number[] {
  const rooms = readdirSync(tmp).flatMap((home) =>
    readdirSync(join(tmp, home)).map((room) => join(tmp, home, room)),
  );
  return rooms.map(pidIn).flatMap((pid) => {
    const pids = freezeTree(pid);
    thawTree(pid);
    return pids;
  });
}

function pidIn(room: string): number {
  try {
    return Number(readFileSync(join(room, PID_FILE), 'utf8')) || NaN;
  } catch {
    return NaN; // Nothing runs there at this moment.
  }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('It does not come to that.');
    await pause(5);
  }
}
