// The order of the pages: that of the lists in docs/index.md, and then the samples, the project and the reference of the API.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './pages.mjs';

const read = (path) => readFileSync(join(root, path), 'utf8');

/** The pages in the order in which they are read, one after the other. */
export function book() {
  return [
    { text: 'nestjs-tessera', link: '/' },
    { text: 'All guides', link: '/docs/' },
    ...guides(),
    { text: 'Samples', collapsed: true, items: samples() },
    {
      text: 'The project',
      items: [
        { text: 'Changes', link: '/CHANGELOG' },
        { text: 'Security policy', link: '/SECURITY' },
        { text: 'Contributing', link: '/CONTRIBUTING' },
        { text: 'API reference', link: '/api/' },
      ],
    },
  ];
}

/** The groups of docs/index.md. */
function guides() {
  const groups = [];
  for (const line of read('docs/index.md').split('\n')) {
    const [, group] = /^## (.+)/.exec(line) ?? [];
    const [, text, page] = /^- \[(.+)\]\((.+)\.md\)/.exec(line) ?? [];
    if (group !== undefined) groups.push({ text: group, collapsed: false, items: [] });
    if (page !== undefined) groups.at(-1).items.push({ text: inline(text), link: `/docs/${page}` });
  }
  return groups;
}

function samples() {
  const names = readdirSync(join(root, 'sample')).sort();
  const documented = names.filter((name) => existsSync(join(root, 'sample', name, 'README.md')));
  return documented.map((name) => ({ text: name, link: `/sample/${name}/` }));
}

/** The reference of the API: a group for each entry point, with its classes and interfaces. */
export function reference() {
  const linkTo = (path) => `/api/${path.replace(/(?:index)?\.md$/, '')}`;
  const modules = JSON.parse(read('docs/site/api/navigation.json'));
  return [
    { text: 'API reference', link: '/api/' },
    ...modules.map(({ text, path, members }) => ({
      text,
      link: linkTo(path),
      collapsed: true,
      items: members.map((member) => ({ text: member.text, link: linkTo(member.path) })),
    })),
    { text: 'The guides', link: '/docs/' },
  ];
}

/** A sidebar shows HTML. */
function inline(markdown) {
  const text = markdown.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
  return text.replace(/`([^`]+)`/g, '<code>$1</code>');
}
