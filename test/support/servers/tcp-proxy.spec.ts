import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TcpProxy } from '.';

describe('a proxy in front of a server that repeats what it hears', () => {
  let server: Server;
  let proxy: TcpProxy;
  const clients: Socket[] = [];

  beforeEach(async () => {
    server = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await TcpProxy.open((server.address() as AddressInfo).port);
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    server.close();
    await once(server, 'close');
  });

  async function visit(): Promise<Socket> {
    const client = connect(proxy.port, '127.0.0.1');
    clients.push(client);
    await once(client, 'connect');
    return client;
  }

  async function echo(client: Socket, text: string): Promise<string> {
    const heard = once(client, 'data');
    client.write(text);
    return String((await heard)[0]);
  }

  it('passes everything on, and ends with either side', async () => {
    const client = await visit();
    expect(await echo(client, 'one')).toBe('one');
    client.end('two');
    let rest = '';
    for await (const chunk of client) rest += String(chunk);
    expect(rest).toBe('two');
  });

  it('leads an URL to itself', () => {
    const { port } = proxy;
    expect(proxy.through('postgres://ada@127.0.0.1:5432/app')).toBe(`postgres://ada@127.0.0.1:${port}/app`);
  });

  it('lets a test hear both sides', async () => {
    const client = await visit();
    const heard: string[] = [];
    proxy.onClientData = (chunk) => heard.push(`client: ${chunk.toString()}`);
    proxy.onServerData = (chunk) => heard.push(`server: ${chunk.toString()}`);
    await echo(client, 'one');
    expect(heard).toEqual(['client: one', 'server: one']);
  });

  it('delays what the client says, and keeps its order', async () => {
    const client = await visit();
    const begin = performance.now();
    proxy.delay(100);
    const first = once(client, 'data');
    client.write('one');
    expect(String((await first)[0])).toBe('one');
    expect(performance.now() - begin).toBeGreaterThanOrEqual(95);
  });

  it('hangs: accepts, keeps connections, forwards nothing until it is healed', async () => {
    const client = await visit();
    proxy.hang();
    const late = await visit();
    let heard = '';
    for (const each of [client, late]) each.on('data', (chunk) => (heard += String(chunk)));
    client.write('one');
    late.write('one');
    await new Promise((later) => setTimeout(later, 100));
    expect(heard).toBe('');
    expect({ client: client.destroyed, late: late.destroyed }).toEqual({ client: false, late: false });

    const both = Promise.all([once(client, 'data'), once(late, 'data')]);
    await proxy.heal();
    await both;
    expect(heard).toBe('oneone');
  });

  it('black-holes the connections there are, and is as good as ever to new ones', async () => {
    const client = await visit();
    await echo(client, 'one');
    proxy.strand();
    const heard = jest.fn();
    client.on('data', heard);
    client.write('two');
    expect(await echo(await visit(), 'three')).toBe('three');
    await proxy.heal();
    expect(await echo(await visit(), 'four')).toBe('four');
    expect({ heard: heard.mock.calls, destroyed: client.destroyed }).toEqual({ heard: [], destroyed: false });
  });

  it('loses an answer, when it is cut as the answer passes', async () => {
    const client = await visit();
    const heard = jest.fn();
    client.on('data', heard);
    proxy.onServerData = () => proxy.cut();
    const cut = closed(client);
    client.write('one');
    await cut;
    expect(heard).not.toHaveBeenCalled();
    proxy.onServerData = () => {};
    expect(await echo(await visit(), 'two')).toBe('two');
  });

  it('refuses whoever was there and whoever comes, until it is healed', async () => {
    const client = await visit();
    const cut = closed(client);
    await proxy.refuse();
    await cut;
    await expect(visit()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.heal();
    expect(await echo(await visit(), 'two')).toBe('two');
  });
});

/** However it came to that. */
function closed(client: Socket): Promise<unknown> {
  client.on('error', () => {});
  return new Promise((resolve) => client.once('close', resolve));
}
