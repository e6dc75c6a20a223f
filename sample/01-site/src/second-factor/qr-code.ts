import { encode } from 'uqr';

/** Readers expect a margin of four modules. */
const MARGIN = 4;

/** A text as a QR code, in SVG. Dark on light in both color schemes: many readers know no other. */
export function qrCode(text: string): string {
  const { data, size } = encode(text, { ecc: 'M', border: MARGIN });
  const modules = data.flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])),
  );
  return (
    `<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label="QR code of the key">` +
    `<rect width="${size}" height="${size}"/><path d="${modules.join('')}"/></svg>`
  );
}
