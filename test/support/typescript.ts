import ts from 'typescript';

/** Libraries and sources are parsed once, however many programs a spec compiles. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** A host whose programs share what they parse. */
export function sharingHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, how, ...rest) => {
    const { languageVersion, impliedNodeFormat } = typeof how === 'object' ? how : { languageVersion: how };
    const key = `${path} ${languageVersion} ${impliedNodeFormat}`;
    if (!parsed.has(key)) parsed.set(key, getSourceFile(path, how, ...rest));
    return parsed.get(key);
  };
  return host;
}

/** What the compiler says of a program and of these files of it. What they import is checked where it belongs. */
export function complaintsOf(program: ts.Program, paths: readonly string[]): readonly ts.Diagnostic[] {
  const isDeclared = program.getCompilerOptions().declaration === true;
  const ofFiles = paths.flatMap((path) => {
    const file = program.getSourceFile(path);
    return [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
      ...(isDeclared ? program.getDeclarationDiagnostics(file) : []),
    ];
  });
  return [
    ...program.getConfigFileParsingDiagnostics(),
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...ofFiles,
  ];
}
