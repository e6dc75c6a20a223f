import { measureOverhead } from '../harness/overhead-group.mjs';

export const title =
  'What a session costs a request on Nest + Express, over the same route without: CPU time, sessions in memory';

export function run(options) {
  return measureOverhead({
    group: 'overhead-express',
    platform: 'express',
    ours: { module: 'tessera' },
    peers: [
      { name: 'express-session', module: 'express-session' },
      { name: 'iron-session', module: 'iron-session', share: 0.25, idle: ['untouched'] },
      { name: 'cookie-session', module: 'cookie-session', share: 0.5 },
    ],
    goals: {
      untouched: { ours: 3 },
      read: { 'express-session': 0.8 },
      write: { 'express-session': 0.8 },
      login: { 'express-session': 0.8 },
    },
    seconds: options.quick ? 27 : 110,
    options,
  });
}
