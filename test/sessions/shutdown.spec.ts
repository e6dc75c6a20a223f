import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { platforms } from '../support/app';

/** The application as a process of its own; `said` resolves when it prints a line that matches. */
function start(platform: string) {
  const folder = join(__dirname, 'process');
  const child = spawn(
    process.execPath,
    ['-r', join(folder, 'typescript.js'), join(folder, 'slow-app.ts'), platform],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => lines.push(line));
  const said = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const line = lines.find((each) => pattern.test(each));
      if (line !== undefined) return line;
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}:\n${lines.join('\n')}`);
      await Promise.race([once(reader, 'line'), once(child, 'exit')]);
    }
  };
  return { child, lines, said, exited: once(child, 'exit') };
}

describe.each(platforms)('an application on %s that is told to end', (platform) => {
  it('F6: finishes and commits what is under way, stops its timers, and closes the store last', async () => {
    const { child, lines, said, exited } = start(platform);
    try {
      const url = await said(/^http/);
      await said(/^sweep ends/);
      // On a connection of its own: one that is kept alive keeps the server alive too, sessions or not.
      const asked = once(request(url, { method: 'POST', agent: false }).end(), 'response') as Promise<
        [IncomingMessage]
      >;
      await said(/^handling/);
      child.kill('SIGTERM');
      const [answer] = await asked;
      expect(answer.statusCode).toBe(201);
      expect(answer.headers['set-cookie']).toEqual([
        expect.stringMatching(/^__Host-session=[\w-]{22}\.[\w-]{43};/),
      ]);
      expect(await json(answer)).toMatchObject({ principal: { id: '7' } });
      const [code, signal] = (await exited) as unknown[];
      expect({ code, signal }).toEqual({ code: null, signal: 'SIGTERM' });

      const told = lines.filter((line) => !line.startsWith('sweep') && !line.startsWith('http'));
      expect(told).toEqual(['handling', 'SIGTERM', 'insert begins', 'insert ends', 'close with 1', 'closed']);
      const sweeps = lines.slice(0, lines.indexOf('close with 1')).filter((line) => line.startsWith('sweep'));
      expect(sweeps.at(-1)).toBe('sweep ends');
      expect(lines.slice(lines.indexOf('close with 1'))).toEqual(['close with 1', 'closed']);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
