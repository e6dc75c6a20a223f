import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { newPlace, openPlace, type OpenPlace, type Place } from '../concurrency/process/place';
import { core, machineClock, type Core } from '../support/core';
import { isAll, itLong } from '../support/long';
import { describeWith, type Service } from '../support/servers';
import { socketKinds, type SocketClient } from './socket-client';

const PROCESSES = 2;
/** In each process. */
const SOCKETS = isAll ? 1000 : 100;
const PRINCIPALS = SOCKETS / 10;
const CONNECTS = 10_000;
/** How many connect at once. */
const CROWD = 50;

const ws = socketKinds.find(({ name }) => name === 'ws')!;

interface GatewayProcess {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startGateway(place: Place): Promise<GatewayProcess> {
  const loader = join(__dirname, '../sessions/process/typescript.js');
  const program = join(__dirname, 'process/gateway-app.ts');
  const child = spawn(process.execPath, ['--expose-gc', '-r', loader, program, JSON.stringify(place)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [url] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`exit ${code}`))),
  ])) as [string];
  return { child, url };
}

/** Does something with each, a crowd at a time. */
async function inCrowds<T, R>(all: readonly T[], work: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < all.length; start += CROWD)
    results.push(...(await Promise.all(all.slice(start, start + CROWD).map(work))));
  return results;
}

const gateways = (kind: Place['kind']) => (service: () => Service) => {
  let open: OpenPlace;
  let app: Core;
  let processes: GatewayProcess[];

  beforeEach(async () => {
    const place = await newPlace(kind, service().url);
    open = await openPlace(place);
    app = core({ store: open.store, clock: machineClock, storeTimeout: 10_000 });
    processes = await Promise.all(Array.from({ length: PROCESSES }, () => startGateway(place)));
  }, 60_000);

  afterEach(async () => {
    const ended = processes.map(({ child }) => once(child, 'exit'));
    for (const { child } of processes) child.stdin!.end();
    await Promise.all(ended);
    await open.close();
  });

  const login = (id: string): Promise<string> => app.issued(null, (session) => session.login({ id }));
  const connect = (url: string, token: string): Promise<SocketClient> =>
    ws.connect(url, { headers: { cookie: `__Host-session=${token}` } });

  it('S2: ending all sessions of a principal closes its sockets in both, and no others', async () => {
    const principals = Array.from({ length: PRINCIPALS }, (_, n) => `user-${n}`);
    const tokens = await inCrowds(principals, login);
    const plan = processes.flatMap(({ url }) =>
      Array.from({ length: SOCKETS }, (_, n) => ({ url, user: n % PRINCIPALS })),
    );
    const sockets = await inCrowds(plan, async ({ url, user }) => {
      const client = await connect(url, tokens[user]!);
      return { user, client, answer: await client.ask('who') };
    });
    const closed: number[] = [];
    for (const { user, client } of sockets) void client.closed.then(() => closed.push(user));
    await app.manager.endAll({ id: 'user-3' });
    await Promise.all(sockets.filter(({ user }) => user === 3).map(({ client }) => client.closed));
    const others = sockets.filter(({ user }) => user !== 3);
    const answers = await inCrowds(others, ({ client }) => client.ask('who'));
    expect({
      connected: sockets.every(({ user, answer }) => answer.data === `user-${user}`),
      closed,
      others: answers.every(({ data }, n) => data === `user-${others[n]!.user}`),
    }).toEqual({
      connected: true,
      closed: Array.from({ length: (PROCESSES * SOCKETS) / PRINCIPALS }, () => 3),
      others: true,
    });
    for (const { client } of others) client.close();
  }, 120_000);

  itLong(
    'S2: sockets that have gone leave nothing behind',
    async () => {
      const { url } = processes[0]!;
      const token = await login('ada');
      const visit = async (): Promise<void> => {
        const client = await connect(url, token);
        await client.ask('who');
        client.close();
        await client.closed;
      };
      const many = (count: number) => inCrowds(Array.from({ length: count }), visit);
      const observer = await connect(url, token);
      const memory = async (): Promise<number> => (await observer.ask('memory')).data as number;
      await many(CONNECTS / 5);
      const before = await memory();
      await many(CONNECTS);
      const perSocket = ((await memory()) - before) / CONNECTS;
      observer.close();
      // A socket with its session takes tens of kilobytes while it is open.
      expect({ perSocket: perSocket < 200 ? 'under 200 bytes' : `${perSocket} bytes` }).toEqual({
        perSocket: 'under 200 bytes',
      });
    },
    180_000,
  );
};

for (const kind of ['postgres', 'redis'] as const)
  describeWith(kind, `gateways in ${PROCESSES} processes on ${kind}`, gateways(kind));
