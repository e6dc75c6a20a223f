/** Stand-ins in a plot for what a light and a dark page show differently; no other element has these colors. */
export const TEXT = '#010203';
export const LINE = '#010204';

/** Readable on white and on near-black alike. */
export const OURS = '#2f81f7';
export const OTHERS = ['#d97a1e', '#8a8f98', '#2da57f', '#b46be0'];

const SHOWN = {
  [TEXT]: { light: '#1f2328', dark: '#e6edf3' },
  [LINE]: { light: '#d1d9e0', dark: '#3d444d' },
};

/** Lets a plot follow the reader's color scheme, wherever it is shown. */
export function followScheme(svg) {
  const rules = (scheme) =>
    Object.entries(SHOWN)
      .map(
        ([color, { [scheme]: shown }]) =>
          `[fill="${color}"]{fill:${shown}}[stroke="${color}"]{stroke:${shown}}`,
      )
      .join('');
  const style = `<style>${rules('light')}@media(prefers-color-scheme:dark){${rules('dark')}}</style>`;
  return svg.replace(/(<svg[^>]*>)/, `$1${style}`);
}
