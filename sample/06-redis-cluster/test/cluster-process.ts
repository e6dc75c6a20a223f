import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const program = resolve(__dirname, '../src/main.ts');
/** Lets a process run the sources as they are. */
const loader = resolve(__dirname, '../../../test/sessions/process/typescript.js');

export const PROCESSES = 2;

/** The sample as a process of its own, with those that it starts. */
export class ClusterProcess {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(redis: readonly string[]): Promise<ClusterProcess> {
    const child = spawn(process.execPath, ['-r', loader, program], {
      env: {
        ...process.env,
        NODE_ENV: 'production',
        PORT: '0',
        PROCESSES: String(PROCESSES),
        REDIS_CLUSTER_URLS: redis.join(','),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const url = await new Promise<string>((ready, failed) => {
      const listen = (chunk: Buffer): void => {
        output += chunk.toString();
        const address = /processes answer at (http:\S+)/.exec(output);
        if (address !== null) ready(address[1]!);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('exit', (code) => failed(new Error(`The processes ended with ${code}:\n${output}`)));
    });
    return new ClusterProcess(url, child);
  }

  /** Returns the exit code. Idempotent. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    return this.child.exitCode;
  }
}
