import { Agent, get } from 'node:http';

/** New visitors, some at once, each of whom is given a session. @throws Error for the first answer that gives none */
export async function visit(port, count, atOnce = 10) {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  let left = count;
  const come = async () => {
    while (left-- > 0) await once(agent, port);
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, come));
  } finally {
    agent.destroy();
  }
}

function once(agent, port) {
  return new Promise((resolve, reject) => {
    const request = get({ agent, port, host: '127.0.0.1', headers }, (response) => {
      const cookies = response.headers['set-cookie'] ?? [];
      const wrong = response.statusCode !== 200 || cookies.length !== 1;
      response.resume().on('end', () => {
        if (wrong) reject(new Error(`status ${response.statusCode}, ${cookies.length} cookies`));
        else resolve();
      });
    });
    request.on('error', reject);
  });
}

/** What a browser sends at least. */
const headers = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-encoding': 'gzip, deflate, br',
  'accept-language': 'en-US,en;q=0.5',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
};
