import autocannon from 'autocannon';

/** Clients at once. */
export const CONNECTIONS = 10;

/**
 * Sends so many requests, keep-alive, one after the other on each connection, and looks at every answer.
 * @param cookies one for each connection, or none
 * @param checkHead says what is wrong with a status and the Set-Cookie lines, or nothing
 * @param checkBody says what is wrong with a body, or nothing
 * @throws Error for the first wrong answer
 */
export async function load(url, { requests, cookies, checkHead, checkBody }) {
  let connections = 0;
  let answers = 0;
  let wrong;
  const { errors, timeouts } = await autocannon({
    url,
    connections: CONNECTIONS,
    amount: requests,
    setupClient(client) {
      const cookie = cookies?.[connections++ % cookies.length];
      if (cookie !== undefined) client.setHeaders({ cookie });
      client.on('headers', ({ statusCode, headers }) => {
        answers++;
        wrong ??= checkHead(statusCode, setCookiesOf(headers));
      });
    },
    verifyBody(body) {
      wrong ??= checkBody(body);
      return true;
    },
    // How often it looks whether it is done, in milliseconds.
    sampleInt: 20,
    skipAggregateResult: true,
  });
  if (answers !== requests || errors > 0 || timeouts > 0)
    wrong ??= `${answers} of ${requests} answers, ${errors} errors, ${timeouts} timeouts`;
  if (wrong !== undefined) throw new Error(`${url}: ${wrong}`);
}

/** Node's raw headers: name, value, name, value. */
function setCookiesOf(headers) {
  const found = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].toLowerCase() === 'set-cookie') found.push(headers[i + 1]);
  }
  return found;
}
