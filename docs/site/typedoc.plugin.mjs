import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Converter, RendererEvent } from 'typedoc';

/** The priority of a listener that runs after TypeDoc has made the groups. */
const AFTER_GROUPS = -1000;

/** A value at the beginning of a default, such as `'30m'` of "'30m', as in …". */
const VALUE = /^(?:'[^']*'|-?[\d_]+|true|false|\[\]|\{\})(?=$|[,:;\s])/;

/**
 * Sorts the members of a module by name, those of a class or an interface as they were written, and makes a sentence of a default. Writes
 * `navigation.json`, which sidebar.mjs reads.
 */
export function load({ converter, renderer }) {
  converter.on(
    Converter.EVENT_RESOLVE_END,
    ({ project }) => {
      for (const { groups = [] } of project.children)
        for (const { children } of groups) children.sort((a, b) => a.name.localeCompare(b.name, 'en'));
      for (const { comment } of Object.values(project.reflections)) if (comment) tellDefault(comment);
    },
    AFTER_GROUPS,
  );
  renderer.on(RendererEvent.END, ({ project, outputDirectory }) => {
    const entryOf = (reflection) => ({ text: reflection.name, path: renderer.router.getFullUrl(reflection) });
    const modules = project.children.map((module) => ({
      ...entryOf(module),
      members: module.groups
        .flatMap(({ children }) => children)
        .map(entryOf)
        .filter(({ path }) => path.endsWith('.md')),
    }));
    writeFileSync(join(outputDirectory, 'navigation.json'), JSON.stringify(modules));
  });
}

/** Says a default where the description ends, instead of under a heading of its own. */
function tellDefault({ summary, blockTags }) {
  const index = blockTags.findIndex(({ tag }) => tag === '@default');
  if (index === -1) return;
  const [{ content }] = blockTags.splice(index, 1);
  summary.push(
    { kind: 'text', text: `${summary.length === 0 ? '' : '\n\n'}Default: ` },
    ...withValue(content),
  );
}

function withValue([first, ...others]) {
  const value = first?.kind === 'text' ? VALUE.exec(first.text)?.[0] : undefined;
  if (value === undefined) return [first, ...others];
  return [
    { kind: 'code', text: `\`${value}\`` },
    { kind: 'text', text: first.text.slice(value.length) },
    ...others,
  ];
}
