import { requirePeer } from './define.mjs';
import { serve, session } from './express-session.mjs';

const { Pool } = requirePeer('pg');
const PgStore = requirePeer('connect-pg-simple')(session);

export { keepsSessions } from './express-session.mjs';

/** As its manual sets it up, with a pool. */
export async function start(platform, { url }) {
  const pool = new Pool({ connectionString: url });
  return serve(platform, new PgStore({ pool, createTableIfMissing: true }));
}
