// node bench/path.mjs: how much of our code one request enters, after `npm run build`. See profile.md.
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cookieFrom } from './harness/load.mjs';
import { Requests } from './in-process/requests.mjs';
import * as tessera from './subjects/tessera.mjs';

/** What is asked, and for whom: somebody with a session, or somebody logged in. */
const ROUTES = {
  untouched: { path: '/untouched' },
  read: { path: '/read', goal: { files: 15, functions: 60 } },
  guarded: { path: '/guarded', isLoggedIn: true },
  write: { path: '/write', goal: { files: 20, functions: 90 } },
  login: { path: '/login' },
};
const WARM_UP = 200;
const SAMPLES = 9;
const DIST = new URL('../dist/', import.meta.url).href;

const { values } = parseArgs({
  options: { list: { type: 'string' }, platform: { type: 'string', multiple: true } },
});
const { list, platform: platforms = ['express', 'fastify'] } = values;
if (list !== undefined && !(list in ROUTES))
  throw new Error(`--list must be one of ${Object.keys(ROUTES).join(', ')}, got '${list}'`);
process.env.NODE_ENV = 'production';

const inspector = new Session();
inspector.connect();
await inspector.post('Profiler.enable');
// Before anything is called: what V8 has inlined until then would be missed.
await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

for (const platform of platforms) {
  const requests = await Requests.start(tessera, platform);
  if (list === undefined) console.log(`${platform}    files  functions  calls   goal`);
  for (const [name, route] of Object.entries(ROUTES)) {
    if (list !== undefined && name !== list) continue;
    const entered = await enteredBy(requests, route);
    if (list === undefined) printCounts(name, entered, route.goal);
    else printFiles(`${name} on ${platform}`, entered);
  }
  console.log();
}

/** @returns by file its functions with their calls, of one warm request: the median of some, for a timer may come across one */
async function enteredBy(requests, { path, isLoggedIn = false }) {
  let cookie = cookieFrom((await requests.get('/begin')).cookies);
  if (isLoggedIn) cookie = cookieFrom((await requests.get('/login', cookie)).cookies);
  const ask = async () => {
    const { status, cookies, body } = await requests.get(path, cookie);
    if (status !== 200) throw new Error(`${path} answers ${status}: ${body}`);
    if (cookies.length > 0) cookie = cookieFrom(cookies);
  };
  for (let i = 0; i < WARM_UP; i++) await ask();
  const samples = [];
  for (let i = 0; i < SAMPLES; i++) {
    await inspector.post('Profiler.takePreciseCoverage');
    await ask();
    samples.push(filesOf((await inspector.post('Profiler.takePreciseCoverage')).result));
  }
  return samples.toSorted((a, b) => totalsOf(a).calls - totalsOf(b).calls)[(SAMPLES - 1) / 2];
}

function filesOf(scripts) {
  return scripts
    .filter(({ url }) => url.startsWith(DIST))
    .map(({ url, functions }) => ({
      file: fileURLToPath(url).slice(fileURLToPath(DIST).length),
      functions: functions
        .map(({ functionName, ranges: [{ startOffset, count }] }) => ({
          name: functionName || '(anonymous)',
          startOffset,
          count,
        }))
        // The function that is the whole script begins at 0, and ran when it was loaded.
        .filter(({ startOffset, count }) => startOffset > 0 && count > 0),
    }))
    .filter(({ functions }) => functions.length > 0);
}

function totalsOf(entered) {
  const functions = entered.flatMap((one) => one.functions);
  return {
    files: entered.length,
    functions: functions.length,
    calls: functions.reduce((sum, { count }) => sum + count, 0),
  };
}

function printCounts(name, entered, goal) {
  const { files, functions, calls } = totalsOf(entered);
  const cells = [name.padEnd(9), pad(files, 7), pad(functions, 11), pad(calls, 7)];
  const wanted = goal && `   ≤ ${goal.files} files, ${goal.functions} functions`;
  console.log(cells.join('') + (wanted ?? ''));
}

function printFiles(title, entered) {
  const { files, functions, calls } = totalsOf(entered);
  console.log(`${title}: ${files} files, ${functions} functions, ${calls} calls\n`);
  for (const { file, functions } of entered.toSorted((a, b) => a.file.localeCompare(b.file))) {
    console.log(file);
    for (const { name, count } of functions) console.log(`  ${name}${count > 1 ? ` × ${count}` : ''}`);
  }
}

function pad(value, width) {
  return String(value).padStart(width);
}
