import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeKit } from './kit-scenario';

describeKit({ describe, it, afterEach });

it('has a testing kit for node:test', async () => {
  const loader = join(__dirname, '../sessions/process/typescript.js');
  const all = ['-r', loader, '--test-reporter=tap', join(__dirname, 'kit.node.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, all, { timeout: 60_000 });
  expect(stdout).toMatch(/^# pass 8$/m);
}, 70_000);
