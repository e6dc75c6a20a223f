import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { complaintsOf, sharingHost } from '../support/typescript';
import { root, type Markdown } from './markdown';

const folder = join(root, 'test/docs');
/** What snippets may use without importing it, and the types of packages that are not installed. */
const around = [join(folder, 'context.ts'), join(folder, 'peers.d.ts')];
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  root,
);

/**
 * Compiles the snippets of a guide together, each as a module of its own, the way they would stand in one application. Returns what the
 * compiler says of them, by the guide's own lines.
 */
export function complaintsAbout(guide: Markdown): string[] {
  const snippets = new Map(
    guide
      .snippets('ts')
      .map(({ code, line }) => [join(folder, `line-${line}.mts`), { code: `${code}\nexport {};\n`, line }]),
  );
  if (snippets.size === 0) return [];
  const host = sharingHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => snippets.has(path) || fileExists(path);
  host.readFile = (path) => snippets.get(path)?.code ?? readFile(path);
  host.getSourceFile = (path, how, ...rest) => {
    const snippet = snippets.get(path);
    return snippet === undefined
      ? getSourceFile(path, how, ...rest)
      : ts.createSourceFile(path, snippet.code, how);
  };
  const paths = [...snippets.keys()];
  const program = ts.createProgram([...around, ...paths], options, host);
  return complaintsOf(program, paths).map(({ file, start = 0, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n');
    if (file === undefined) return text;
    const snippet = snippets.get(file.fileName);
    const line = file.getLineAndCharacterOfPosition(start).line;
    return snippet === undefined
      ? `${file.fileName}:${line + 1}: ${text}`
      : `${guide.path}:${snippet.line + line}: ${text}`;
  });
}

/** The members of a declared union of strings: `'a' | 'b'`. */
export function membersOfUnion(path: string, name: string): string[] {
  const declaration = declarationIn(path, name);
  if (!ts.isTypeAliasDeclaration(declaration) || !ts.isUnionTypeNode(declaration.type))
    throw new Error(`${name} is no union`);
  return declaration.type.types.map((type) => {
    if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return type.literal.text;
    throw new Error(`${name} has a member that is no string`);
  });
}

/** The members of a declared interface, each with what its comment gives as `@default`; those of a nested type as `outer.inner`. */
export function defaultsOf(path: string, name: string, prefix = ''): Map<string, string | undefined> {
  const declaration = declarationIn(path, name);
  if (!ts.isInterfaceDeclaration(declaration)) throw new Error(`${name} is no interface`);
  return collect(declaration.members, prefix);
}

function collect(members: ts.NodeArray<ts.TypeElement>, prefix: string): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  for (const member of members.filter(ts.isPropertySignature)) {
    const key = prefix + member.name.getText();
    const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === 'default');
    if (member.type !== undefined && ts.isTypeLiteralNode(member.type)) {
      for (const [inner, value] of collect(member.type.members, `${key}.`)) found.set(inner, value);
    } else found.set(key, ts.getTextOfJSDocComment(tag?.comment));
  }
  return found;
}

function declarationIn(path: string, name: string): ts.Node {
  const source = ts.createSourceFile(
    path,
    readFileSync(join(root, path), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found = source.statements.find(
    (statement) =>
      (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement)) &&
      statement.name.text === name,
  );
  if (found === undefined) throw new Error(`${path} declares no ${name}`);
  return found;
}
