import { requirePeer } from './define.mjs';
import { serve } from './express-session.mjs';

const { TypeormStore } = requirePeer('connect-typeorm');
const { DataSource, EntitySchema } = requirePeer('typeorm');

export { keepsSessions } from './express-session.mjs';

/** As its manual sets it up, with TypeORM 0.3, which is the one that it goes with; each process has a table of its own. */
export async function start(platform, { url }) {
  const entity = new EntitySchema({
    name: 'session',
    tableName: `typeorm_${process.pid}`,
    columns: {
      id: { type: 'varchar', length: 255, primary: true },
      expiredAt: { type: 'bigint' },
      json: { type: 'text' },
      destroyedAt: { type: 'timestamp', deleteDate: true, nullable: true },
    },
    indices: [{ columns: ['expiredAt'] }],
  });
  const database = await new DataSource({
    type: 'postgres',
    url,
    entities: [entity],
    synchronize: true,
  }).initialize();
  const store = new TypeormStore({ cleanupLimit: 2, ttl: 86400 }).connect(database.getRepository(entity));
  return serve(platform, store);
}
