import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

// Each of these is a program of its own: the package as it is published, its sources with tests and benches,
// and every folder of sample/ and test/ that brings a tsconfig.json because it augments SessionData for itself.
const root = resolve(__dirname, '..');
const projects = ['lib', '.', ...foldersOf('sample'), ...foldersOf('test')].filter((folder) =>
  existsSync(join(root, folder, 'tsconfig.json')),
);

describe('compiles without a complaint', () => {
  it.each(projects)('%s', async (project) => expect(await complaints(project)).toBe(''), 120_000);
});

function foldersOf(parent: string): string[] {
  const folder = join(root, parent);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(parent, name)) : [];
}

function complaints(project: string): Promise<string> {
  const compiler = [require.resolve('typescript/bin/tsc'), '--noEmit', '--pretty', 'false', '-p', project];
  return new Promise((done) => {
    execFile(process.execPath, compiler, { cwd: root }, (failure, stdout) => done(failure ? stdout : ''));
  });
}
