// Finds circles of imports, type imports included, for .eslintrc.js to refuse: in a circle no file can be understood first.
const { readFileSync, readdirSync } = require('node:fs');
const { join, posix } = require('node:path');
const ts = require('typescript');

/** What each source file below a folder imports by a relative path: the file it names, by the text of the import. */
function importsBelow(root, folder) {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => posix.join(folder, name.replaceAll('\\', '/')));
  return new Map(files.map((file) => [file, importsOf(file, readFileSync(join(root, file), 'utf8'))]));
}

function importsOf(file, source) {
  const texts = ts.preProcessFile(source).importedFiles.map(({ fileName }) => fileName);
  const relative = texts.filter((text) => text.startsWith('.'));
  return new Map(relative.map((text) => [text, `${posix.join(posix.dirname(file), text)}.ts`]));
}

/** The shortest way from one file to another along imports, both included, or `null`. */
function wayBetween(imports, from, to) {
  const cameFrom = new Map([[from, null]]);
  for (const file of cameFrom.keys()) {
    if (file === to) return wayTo(file, cameFrom);
    for (const next of imports.get(file)?.values() ?? []) if (!cameFrom.has(next)) cameFrom.set(next, file);
  }
  return null;
}

function wayTo(file, cameFrom) {
  const before = cameFrom.get(file);
  return before === null ? [file] : [...wayTo(before, cameFrom), file];
}

/** The imports that lead back to the file they stand in, each with its circle. */
function circlesThrough(file, imports) {
  return [...imports.get(file)].flatMap(([text, next]) => {
    const back = wayBetween(imports, next, file);
    return back === null ? [] : [{ text, circle: [file, ...back] }];
  });
}

/** An ESLint override for each file below a folder, that refuses such imports. */
function refuseCircles(root, folder) {
  const imports = importsBelow(root, folder);
  return [...imports.keys()].sort().flatMap((file) => {
    const paths = circlesThrough(file, imports).map(({ text, circle }) => ({
      name: text,
      message: `It closes a circle: ${circle.join(' → ')}.`,
    }));
    return paths.length === 0
      ? []
      : [{ files: [file], rules: { 'no-restricted-imports': ['error', { paths }] } }];
  });
}

module.exports = { refuseCircles };
