import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { describeLong } from './support/long';
import { complaintsOf, sharingHost } from './support/typescript';

// Each of these is a program of its own: the package as it is published, its sources with tests and benches,
// and every folder of sample/ and test/ that brings a tsconfig.json because it augments SessionData for itself.
const root = resolve(__dirname, '..');
const projects = ['lib', '.', ...foldersOf('sample'), ...foldersOf('test')]
  .filter((folder) => existsSync(join(root, folder, 'tsconfig.json')))
  .map((name) => ({ name }));

// `npm run typecheck` compiles them.
describeLong('the TypeScript project', () => {
  it.each(projects)(
    '$name compiles without a complaint',
    ({ name }) => expect(complaints(name)).toBe(''),
    120_000,
  );
});

it('W2: the compiler says how to declare a key that is not declared', () => {
  const file = join(root, 'test/types-plain/undeclared.ts');
  const source = `
    import { Session } from 'nestjs-tessera';
    declare const session: Session;
    session.set('cart', []);
    session.get('cart');
    export class Cart { at(@Session('cart') cart: unknown) { return cart; } }`;
  const { options } = configOf('test/types-plain');
  const host = sharingHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, how, ...rest) =>
    name === file ? ts.createSourceFile(name, source, how, true) : getSourceFile(name, how, ...rest);
  const program = ts.createProgram({ rootNames: [file], options, host });
  const said = program
    .getSemanticDiagnostics(program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  const advice = expect.stringMatching(
    /Declare the session's keys first: declare module 'nestjs-tessera' { interface SessionData/,
  ) as string;
  expect(said).toEqual([advice, advice, advice]);
}, 120_000);

function foldersOf(parent: string): string[] {
  const folder = join(root, parent);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(parent, name)) : [];
}

function configOf(project: string): ts.ParsedCommandLine {
  return ts.getParsedCommandLineOfConfigFile(
    join(root, project, 'tsconfig.json'),
    { noEmit: true },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: refuse },
  )!;
}

function complaints(project: string): string {
  const { fileNames, options, errors } = configOf(project);
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
