import { measureStored } from '../harness/stored-group.mjs';

export const title =
  'What a session in PostgreSQL costs a request, over the same route without: CPU time of the application';

export function run(options) {
  return measureStored({
    group: 'postgres',
    kind: 'postgres',
    asked: 'statements',
    ours: 'tessera-postgres',
    peers: [
      { name: 'express-session + connect-pg-simple', module: 'express-session-pg', platform: 'express' },
      {
        name: 'express-session + connect-typeorm',
        module: 'express-session-typeorm',
        platform: 'express',
        share: 0.4,
      },
      { name: 'pg alone', module: 'limit-postgres', platform: 'express', isLimit: true },
    ],
    seconds: options.quick ? 50 : 145,
    options,
  });
}
