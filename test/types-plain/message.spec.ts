import { join } from 'node:path';
import ts from 'typescript';
import { sharingHost } from '../support/typescript';

const FILE = join(__dirname, 'undeclared.ts');
const SOURCE = `
import { Session } from 'nestjs-tessera';
declare const session: Session;
session.set('cart', []);
session.get('cart');
class Cart { at(@Session('cart') cart: unknown) { return cart; } }
`;

it('W2: the compiler says how to declare a key that is not declared', () => {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(__dirname, 'tsconfig.json'),
    { noEmit: true },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  )!;
  const host = sharingHost(config.options);
  const { getSourceFile, fileExists, readFile } = host;
  Object.assign(host, {
    fileExists: (name: string) => name === FILE || fileExists.call(host, name),
    readFile: (name: string) => (name === FILE ? SOURCE : readFile.call(host, name)),
    getSourceFile: (name: string, ...rest: [never]) =>
      name === FILE
        ? ts.createSourceFile(name, SOURCE, config.options.target!, true)
        : getSourceFile.call(host, name, ...rest),
  });
  const program = ts.createProgram({ rootNames: [FILE], options: config.options, host });
  const messages = ts
    .getPreEmitDiagnostics(program, program.getSourceFile(FILE))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  const advice = /Declare the session's keys first: declare module 'nestjs-tessera' { interface SessionData/;
  expect(messages).toEqual([
    expect.stringMatching(advice),
    expect.stringMatching(advice),
    expect.stringMatching(advice),
  ]);
}, 60_000);
