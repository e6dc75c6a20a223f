import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { complaintsOf, sharingHost } from './support/typescript';

// Each of these is a program of its own: the package as it is published, its sources with tests and benches,
// and every folder of sample/ and test/ that brings a tsconfig.json because it augments SessionData for itself.
const root = resolve(__dirname, '..');
const projects = ['lib', '.', ...foldersOf('sample'), ...foldersOf('test')].filter((folder) =>
  existsSync(join(root, folder, 'tsconfig.json')),
);

describe('compiles without a complaint', () => {
  it.each(projects)('%s', (project) => expect(complaints(project)).toBe(''), 120_000);
});

function foldersOf(parent: string): string[] {
  const folder = join(root, parent);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(parent, name)) : [];
}

function complaints(project: string): string {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, project, 'tsconfig.json'),
    { noEmit: true },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: refuse },
  )!;
  const { fileNames, options, errors } = config;
  const program = ts.createProgram({
    rootNames: fileNames,
    options,
    host: sharingHost(options),
    configFileParsingDiagnostics: errors,
  });
  return ts.formatDiagnostics(complaintsOf(program, fileNames), {
    getCurrentDirectory: () => root,
    getCanonicalFileName: (path) => path,
    getNewLine: () => '\n',
  });
}

function refuse({ messageText }: ts.Diagnostic): never {
  throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
}
