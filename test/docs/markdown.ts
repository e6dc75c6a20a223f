import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(__dirname, '../..');

/** Code between fences, and where it begins. */
export interface Snippet {
  readonly code: string;
  /** The line of the document, from 1, that the first line of the code stands on. */
  readonly line: number;
}

/** The guides, as paths from the root. */
export const guides: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** A guide, taken apart. */
export class Markdown {
  readonly #lines: readonly string[];

  constructor(readonly path: string) {
    this.#lines = readFileSync(join(root, path), 'utf8').split('\n');
  }

  /** The number of lines. */
  get length(): number {
    return this.#lines.length - 1;
  }

  /** The first lines: the title, and what follows it. */
  beginning(): string {
    return this.#lines.slice(0, 3).join('\n');
  }

  /** Those of list items, which are indented, too. */
  snippets(language: string): Snippet[] {
    const snippets: Snippet[] = [];
    for (const [index, line] of this.#lines.entries()) {
      if (line.trim() !== '```' + language) continue;
      const indent = line.indexOf('`');
      const end = this.#lines.indexOf(line.slice(0, indent) + '```', index + 1);
      const code = this.#lines.slice(index + 1, end).map((each) => each.slice(indent));
      snippets.push({ code: code.join('\n'), line: index + 2 });
    }
    return snippets;
  }

  /** Where links and images lead, outside of code. */
  links(): string[] {
    return [...this.#prose().matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)].map(
      ([, link, image]) => (link ?? image)!,
    );
  }

  /** What a link's `#fragment` may name: headings, as GitHub spells them. */
  anchors(): string[] {
    const headings = [...this.#prose().matchAll(/^#+ (.+)$/gm)];
    return headings.map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
  }

  /** The rows of the first table whose first column has this header, each as the texts of its cells. */
  table(firstHeader: string): string[][] {
    return this.tables(firstHeader)[0] ?? [];
  }

  /** The rows of each table whose first column has this header. */
  tables(firstHeader: string): string[][][] {
    const starts = [...this.#lines.keys()].filter((index) => cellsOf(this.#lines[index]!)[0] === firstHeader);
    return starts.map((start) => {
      const rows = this.#lines.slice(start + 2);
      const end = rows.findIndex((line) => !line.startsWith('|'));
      return rows.slice(0, end).map(cellsOf);
    });
  }

  #prose(): string {
    return this.#lines.join('\n').replace(/^```[\s\S]*?^```$/gm, '');
  }
}

function cellsOf(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
