import { askedPerRequest } from './asked-per-request.mjs';
import { measureHttp, OURS, ofPeer } from './http-group.mjs';
import { inOwnPlace } from './own-place.mjs';
import { routesFor } from './routes.mjs';

/** What a read and a write may cost of what they cost the peers on Express, at most. */
const HALF = 1 / 2;

/** Where a session layer that does what it must asks nobody. */
const UNASKED = ['untouched', 'anonymous'];

/**
 * Sessions on a database server: the same as in memory, one platform after the other, and how often the server is asked for a request.
 * @param kind of server, `postgres` or `redis`
 * @param asked what it is asked
 * @param ours the module below bench/subjects
 * @param peers each with a `name`, its `module` and its `platform`; `isLimit` for what no session layer can undercut
 */
export function measureStored({ group, kind, asked, ours, peers, seconds, options }) {
  return inOwnPlace(kind, async (place) => {
    const begun = performance.now();
    const platforms = [...new Set(peers.map(({ platform }) => platform))];
    const results = [];
    for (const [i, platform] of platforms.entries()) {
      const subjects = [{ name: OURS, module: ours }, ...peers.filter((peer) => peer.platform === platform)];
      const [us, ...others] = subjects.map((subject) => ({
        ...subject,
        options: place,
        ...(subject.isLimit && { idle: UNASKED }),
      }));
      const counts = {};
      for (const subject of [us, ...others])
        counts[subject.name] = await askedPerRequest(kind, subject, platform, routesFor(options));
      const left = seconds - (performance.now() - begun) / 1000;
      const { rows, noise, notes } = await measureHttp({
        group,
        platform,
        ours: us,
        peers: others,
        goals: platform === 'express' ? halfOf(others) : {},
        seconds: left / (platforms.length - i),
        options,
      });
      results.push({ rows: rows.map((row) => withCounts(row, asked, counts)), noise, notes });
    }
    return {
      rows: results.flatMap(({ rows }) => rows),
      noise: Math.max(...results.map(({ noise }) => noise)),
      notes: results.flatMap(({ notes }) => notes),
    };
  });
}

function halfOf(peers) {
  const goals = Object.fromEntries(peers.filter(({ isLimit }) => !isLimit).map(({ name }) => [name, HALF]));
  return { read: goals, write: goals };
}

function withCounts(row, asked, counts) {
  const countOf = (name) => ({ [asked]: counts[name]?.[row.what] });
  return { ...row, more: { ...row.more, ...countOf(OURS), ...ofPeer(countOf(row.peer.name)) } };
}
