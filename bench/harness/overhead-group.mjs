import { measureHttp, OVER_SOCKETS, WITHOUT_SOCKETS } from './http-group.mjs';
import { USUAL } from './routes.mjs';

const ROUTES = [...USUAL, 'guarded'];

/**
 * Sessions in memory, measured without sockets, which tells a difference of a microsecond. Each row has the same row measured over
 * sockets beside it, where the kernel adds noise and cold caches.
 * @param seconds for each of the two
 */
export async function measureOverhead({ seconds, options, ...group }) {
  const measure = (way) =>
    measureHttp({ ...group, way, seconds, options: { ...options, routes: options.routes ?? ROUTES } });
  const { rows, noise, notes } = await measure(WITHOUT_SOCKETS);
  if (options.noSockets) return { rows, noise, notes };
  const over = await measure(OVER_SOCKETS);
  const sockets = new Map(over.rows.map((row) => [row.id, row]));
  return {
    rows: rows.map((row) => ({ ...row, sockets: sockets.get(row.id) })),
    noise,
    noiseOverSockets: over.noise,
    notes: [...notes, ...over.notes.map((note) => `over sockets, ${note}`)],
  };
}
