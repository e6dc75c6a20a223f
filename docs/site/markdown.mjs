// How the site reads Markdown that was written for GitHub.
import { relative } from 'node:path';
import { resolveLink, root } from './pages.mjs';

/** Returns the anchor of a heading, as GitHub spells it. */
export function slugify(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** A plugin of markdown-it: links lead to pages of the site, and what has no page is text. Images in HTML are found beside their file. */
export function forSite(md) {
  md.core.ruler.push('site-links', ({ tokens, env, Token }) => {
    const from = relative(root, env.realPath ?? env.path).replaceAll('\\', '/');
    for (const token of tokens) {
      if (token.type === 'inline') token.children = withLinks(token.children, from, Token);
      for (const each of [token, ...(token.children ?? [])])
        if (each.type.startsWith('html_')) each.content = withImages(each.content);
    }
  });
}

function withLinks(tokens, from, Token) {
  const result = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    result.push(token);
    if (token.type !== 'link_open') continue;
    const href = token.attrGet('href');
    const link = resolveLink(from, href);
    if (link !== null) {
      token.attrSet('href', link);
      continue;
    }
    const close = tokens.findIndex((each, at) => at > index && each.type === 'link_close');
    result.splice(-1, 1, ...named(tokens.slice(index + 1, close), decodeURI(href), Token));
    index = close;
  }
  return result;
}

/** Returns the label of a link to a file that has no page, with the path that it has led to. */
function named(label, href, Token) {
  const path = href.replace(/#.*/, '').replace(/^(?:\.\.?\/)+/, '');
  const text = label.map(({ content }) => content).join('');
  const code = Object.assign(new Token('code_inline', 'code', 0), { content: path, markup: '`' });
  if (label.every(({ type }) => type === 'code_inline')) return label;
  return path.endsWith(text) ? [code] : [...label, textOf(' (', Token), code, textOf(')', Token)];
}

function textOf(content, Token) {
  return Object.assign(new Token('text', '', 0), { content });
}

/** VitePress takes only a path that begins with a dot for one of a file. */
function withImages(html) {
  return html.replace(/(<img\b[^>]*\bsrc=")(?![a-z]+:|[./])/gi, '$1./');
}
