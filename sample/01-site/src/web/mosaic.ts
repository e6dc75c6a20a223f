import { PICTURES } from './pictures';

/** Each tile is a little lighter or darker than its neighbors, as stones are. */
const SHADES = 3;
const TILE = 10;

/**
 * A picture laid out of tesserae, as SVG. Color and shade are classes that the style sheet fills, so that the mosaics follow
 * the dark scheme; the policy allows no style attributes anyway.
 */
export function mosaic(name: string): string {
  const rows = PICTURES[name];
  if (rows === undefined) return '';
  const paths = new Map<string, string>();
  for (const [y, row] of rows.entries()) {
    for (const [x, color] of [...row].entries()) {
      const key = `${color === '.' ? 'ground' : color} shade-${(x * 7 + y * 5 + ((x * y) % 4)) % SHADES}`;
      paths.set(key, `${paths.get(key) ?? ''}M${x * TILE} ${y * TILE}h9v9h-9z`);
    }
  }
  const size = `${rows[0]!.length * TILE - 1} ${rows.length * TILE - 1}`;
  const tiles = [...paths].map(([key, path]) => `<path class="${key}" d="${path}"/>`).join('');
  return `<svg class="mosaic" viewBox="0 0 ${size}" aria-hidden="true" focusable="false">${tiles}</svg>`;
}
