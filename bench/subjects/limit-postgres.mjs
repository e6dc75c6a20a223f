import pg from 'pg';
import { startLimit } from './limit-stored.mjs';

export const keepsSessions = true;

/** Prepared statements, as ours are. Each process has a table of its own. */
export async function start(platform, { url }) {
  const pool = new pg.Pool({ connectionString: url });
  const table = `limit_${process.pid}`;
  await pool.query(`CREATE TABLE ${table} (id text PRIMARY KEY, body text NOT NULL)`);
  const find = `SELECT body FROM ${table} WHERE id = $1`;
  const put = `INSERT INTO ${table} VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body`;
  const remove = `DELETE FROM ${table} WHERE id = $1`;
  return startLimit(platform, {
    find: async (id) => (await pool.query({ name: 'find', text: find, values: [id] })).rows[0]?.body,
    put: (id, body) => pool.query({ name: 'put', text: put, values: [id, body] }),
    remove: (id) => pool.query({ name: 'remove', text: remove, values: [id] }),
  });
}
