import autocannon from 'autocannon';
import { quantile } from './statistics.mjs';

/** Clients at once. */
export const CONNECTIONS = 10;

/**
 * Sends so many requests, keep-alive, one after the other on each connection, and looks at every answer.
 * @param cookies one for each connection, or none
 * @param follow whether a connection goes on with the cookie of its latest answer; `cookies` has the last ones then
 * @param checkHead says what is wrong with a status and the Set-Cookie lines, or nothing
 * @param checkBody says what is wrong with a body, or nothing
 * @returns requests a second, and the milliseconds that 99 % of them took at most
 * @throws Error for the first wrong answer
 */
export async function load(url, { requests, cookies, follow = false, checkHead, checkBody }) {
  let connections = 0;
  let wrong;
  const milliseconds = [];
  const begun = performance.now();
  let ended = begun;
  const rest = stayAwake();
  const { errors, timeouts } = await Promise.resolve(
    autocannon({
      url,
      connections: CONNECTIONS,
      amount: requests,
      setupClient(client) {
        const connection = connections++;
        const sendCookie = () => client.setHeaders({ ...PROXY, ...cookieHeader(cookies?.[connection]) });
        sendCookie();
        client.on('headers', ({ statusCode, headers }) => {
          const lines = setCookiesOf(headers);
          wrong ??= checkHead(statusCode, lines);
          if (!follow || lines.length === 0) return;
          cookies[connection] = cookieFrom(lines);
          sendCookie();
        });
        client.on('response', (status, bytes, duration) => {
          milliseconds.push(duration);
          ended = performance.now();
        });
      },
      verifyBody(body) {
        wrong ??= checkBody(body);
        return true;
      },
      // How often it looks whether it is done, in milliseconds.
      sampleInt: 20,
      skipAggregateResult: true,
    }),
  ).finally(rest);
  if (milliseconds.length !== requests || errors > 0 || timeouts > 0)
    wrong ??= `${milliseconds.length} of ${requests} answers, ${errors} errors, ${timeouts} timeouts`;
  if (wrong !== undefined) throw new Error(wrong);
  return { perSecond: (requests / (ended - begun)) * 1000, p99: quantile(milliseconds, 0.99) };
}

/**
 * Keeps this process from sleeping between two answers, until the function that it returns is called. To wake it is work for the
 * server's core, up to 20 µs an answer on a virtual machine, which only those who are slower than this process would have to do.
 */
function stayAwake() {
  let isAwake = true;
  const turn = () => isAwake && setImmediate(turn);
  turn();
  return () => (isAwake = false);
}

/** One request by itself, and all of its answer: some save the session between the head and the end. */
export async function get(url, cookie) {
  const answer = await fetch(url, { headers: { ...PROXY, ...cookieHeader(cookie) } });
  return { status: answer.status, cookies: answer.headers.getSetCookie(), body: await answer.text() };
}

/** What a client sends back for these Set-Cookie lines. */
export function cookieFrom(lines) {
  return lines.map((line) => line.split(';', 1)[0]).join('; ');
}

/** As it comes from a proxy that ends TLS: without it, some do not send a secure cookie. */
export const PROXY = { 'x-forwarded-proto': 'https' };

function cookieHeader(cookie) {
  return cookie === undefined ? {} : { cookie };
}

/** Node's raw headers: name, value, name, value. */
function setCookiesOf(headers) {
  const found = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].toLowerCase() === 'set-cookie') found.push(headers[i + 1]);
  }
  return found;
}
