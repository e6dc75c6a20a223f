import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { itEachLong } from '../support/long';
import { describeWith } from '../support/servers';
import { linesOf, run, runHere } from './program';
import { tlsListener } from './tls-listener';

describe('the store of nestjs-tessera sessions', () => {
  it.each([
    ['no action', [], /^sessions is followed by list or end\./],
    ['another action', ['show'], /^sessions is followed by list or end\./],
    ['no store', ['list'], /^--store is missing: the URL of the store\./],
    [
      'another scheme',
      ['list', '--store', 'mongodb://user:hunter2@host'],
      /^--store must be a URL that begins with redis:,/,
    ],
    ['no URL', ['list', '--store', 'hunter2'], /^--store must be a URL/],
    ['Redis without a prefix', ['list', '--store', 'redis://:hunter2@localhost'], /^--prefix is missing/],
    [
      'a variable that is not set',
      ['list', '--store', 'env:NOT_SET'],
      /^The environment variable NOT_SET is not set/,
    ],
    [
      'an end of nothing',
      ['end', '--store', 'file:/tmp'],
      /^sessions end needs --principal, .*, or --id, for one\./,
    ],
    [
      'an id in a list',
      ['list', '--store', 'file:/tmp', '--id', 'x'],
      /^--id and --reason are options of sessions end\./,
    ],
    [
      'a second argument',
      ['list', 'redis://:hunter2@localhost'],
      /^Besides its options the command takes 0 arguments/,
    ],
    [
      'a prefix in a database',
      ['list', '--store', 'postgres://ada:hunter2@localhost/x', '--prefix', 'x:'],
      /^--prefix is an option of Redis\./,
    ],
    [
      'a table in Redis',
      ['list', '--store', 'redis://:hunter2@localhost', '--prefix', 'x:', '--table', 'x'],
      /^--table and --schema are options of databases\./,
    ],
    [
      'a table in files',
      ['list', '--store', 'file:/tmp', '--table', 'x'],
      /^--table and --schema are options of databases\./,
    ],
    [
      'a Redis database without a number',
      ['list', '--store', 'redis://:hunter2@localhost/x', '--prefix', 'x:'],
      /^The path of a URL of Redis is the number of a database/,
    ],
    [
      'a parameter of MySQL that the driver would not see',
      ['list', '--store', 'mysql://ada:hunter2@127.0.0.1:1/x?ssl-mode=REQUIRED'],
      /^A URL of MySQL has ssl=true for TLS/,
    ],
    [
      'TLS of MySQL that is none',
      ['list', '--store', 'mariadb://ada:hunter2@127.0.0.1:1/x?ssl=1'],
      /^The parameter ssl of a URL of MySQL is ssl=true/,
    ],
  ])('refuses %s, and repeats no URL', async (_, args, message) => {
    const { code, stdout, stderr } = await runHere(['sessions', ...args]);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(stderr).not.toContain('hunter2');
  });

  const schemes = ['redis', 'postgres', 'cockroachdb', 'mysql', 'mariadb'];
  const passwords = ['hun/ter2@x', 'hun@ter/2', '1?2ter', '1/ter2', 'hun#ter2', 'hun%ter2'];
  it.each(schemes)(
    'L11: refuses a password that is not encoded, and shows no part of it: %s',
    async (scheme) => {
      const names = scheme === 'redis' ? ['--prefix', 'x:'] : [];
      for (const password of passwords) {
        const url = `${scheme}://ada:${password}@127.0.0.1:1/0`;
        const { code, stderr } = await runHere(['sessions', 'list', '--store', url, ...names]);
        expect({ password, code, said: stderr.split('.', 1)[0] }).toEqual({
          ...{ password, code: 2, said: '--store is no valid URL' },
        });
        expect(stderr).not.toMatch(/ter2|2ter|ter\/2/);
      }
    },
  );

  it.each([
    ['mysql', '', false],
    ['mysql', '?ssl=true', true],
    ['mariadb', `?ssl=${encodeURIComponent('{"rejectUnauthorized":false}')}`, true],
    ['postgres', '', false],
    ['postgres', '?sslmode=no-verify', true],
    ['cockroachdb', '', false],
    ['cockroachdb', '?sslmode=no-verify', true],
  ] as const)('asks for TLS as the URL does: %s %s', async (scheme, parameters, isEncrypted) => {
    const isMysql = scheme === 'mysql' || scheme === 'mariadb';
    const { port, asked, close } = await tlsListener(isMysql ? 'mysql' : 'postgres');
    const url = `${scheme}://ada:hunter2@127.0.0.1:${port}/x${parameters}`;
    const { code, stderr } = await runHere(['sessions', 'list', '--store', url]);
    close();
    expect({ code, isEncrypted: await asked }).toEqual({ code: 1, isEncrypted });
    expect(stderr).not.toContain('hunter2');
  });

  describeWith('redis', 'without the package redis', (service) => {
    it('takes ioredis', async () => {
      const args = ['sessions', 'list', '--store', service().url, '--prefix', `${service().prefix}none:`];
      const present = await run(args, { without: ['redis'] });
      const absent = await run(args, { without: ['redis', 'ioredis'] });
      expect({ present, absent }).toEqual({
        present: { code: 0, stdout: '', stderr: expect.stringContaining('No session was found') },
        absent: { code: 1, stdout: '', stderr: 'A package is missing: npm install redis, or ioredis\n' },
      });
    });
  });

  it('says why ioredis does not connect, and shows no stack', async () => {
    const args = ['sessions', 'list', '--store', 'redis://:hunter2@127.0.0.1:1', '--prefix', 'x:'];
    const { code, stderr } = await run(args, { without: ['redis'] });
    expect({ code, lines: linesOf(stderr) }).toEqual({
      code: 1,
      lines: [
        'Redis: connect ECONNREFUSED 127.0.0.1:1',
        expect.stringMatching(/^The session store failed at 'prepare'/),
      ],
    });
  });

  it.each([
    [
      'a file that is not there',
      ['--store', 'sqlite:/nowhere/app.sqlite'],
      /^There is no store at \/nowhere\/app\.sqlite\.\n$/,
    ],
    ['a directory that is not there', ['--store', 'file:/nowhere'], /^There is no store at \/nowhere\.\n$/],
    [
      'a principal that cannot be',
      ['--store', 'file:/nowhere', '--principal', ''],
      /^The principal is invalid/,
    ],
    [
      'a Redis that is down',
      ['--store', 'redis://:hunter2@127.0.0.1:1', '--prefix', 'x:'],
      /^The session store failed at 'prepare'/,
    ],
    [
      'a PostgreSQL that is down',
      ['--store', 'postgres://ada:hunter2@127.0.0.1:1/x'],
      /^The session store failed at 'prepare'/,
    ],
  ])('fails for %s', async (_, args, message) => {
    const { code, stdout, stderr } = await runHere(['sessions', 'list', ...args]);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
    expect(stderr).not.toContain('hunter2');
  });

  itEachLong([{ without: [] }, { without: ['redis'] }])(
    'fails within its deadline for a Redis that accepts connections and does not answer, without %j',
    async ({ without }) => {
      const sockets: Socket[] = [];
      const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const args = ['sessions', 'list', '--store', `redis://127.0.0.1:${port}`, '--prefix', 'x:'];
      const result = await run(args, { without });
      for (const socket of sockets) socket.destroy();
      server.close();
      expect(result).toEqual({
        ...{ code: 1, stdout: '' },
        stderr: "The session store failed at 'prepare': no answer within 10000 ms.\n",
      });
    },
  );
});
