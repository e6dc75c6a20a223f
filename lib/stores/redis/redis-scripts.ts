import { createHash } from 'node:crypto';

/**
 * A script that a server runs atomically and caches by its hash. It has one key. Its last argument is a nonce, which the reply repeats
 * before the answer, so that the answer to another command is recognized.
 */
export interface RedisScript {
  readonly text: string;
  readonly hash: string;
}

function script(...parts: string[]): RedisScript {
  const body = parts.map((part) => part.trim()).join('\n');
  const text = `local nonce = ARGV[#ARGV]\nlocal function answer()\n${body}\nend\nreturn { nonce, answer() }`;
  return { text, hash: createHash('sha1').update(text).digest('hex') };
}

/** Answers of {@link INSERT}, {@link UPDATE} and {@link EXTEND}. */
export const REFUSED = 0;
export const APPLIED = 1;
/** Nothing was written: the principal's index must be updated first. */
export const UNCOVERED = 2;

/** How long an index entry may exist without its session, in milliseconds: the entry is written first. */
export const ENTRY_GRACE = 60_000;

/** Reads the header line of the stored record, without its body. A value without such a line counts as no session. */
const READ_LINE = `
local line = redis.pcall('GETRANGE', KEYS[1], 0, 2047)
local version, expiry, covered, stamp, marks, hash, id, principal
if type(line) == 'string' then
  version, expiry, covered, stamp, marks, hash, id, principal =
    string.match(line, '^1 (%d+) (%d+) (%d+) (%d+) (%S+) (%S+) (%S+) ([^\\n]*)\\n')
  if principal ~= 'null' and not string.match(principal or '', '^".*"$') then version = nil end
end`;

/**
 * Clients and the store repeat commands after a broken connection. The record keeps the nonces of its latest writes as marks, so that a
 * repeated write is recognized as already applied.
 */
const IS_DONE = `
local function isDone()
  for at = 1, #(marks or ''), #nonce do
    if string.sub(marks, at, at + #nonce - 1) == nonce then return true end
  end
  return false
end`;

/** Answers the stored text, or nothing. Unlike GET it returns the nonce, so that an empty answer is reliable. */
export const READ = script(`
local text = redis.pcall('GET', KEYS[1])
return type(text) == 'string' and text`);

/** The server's clock, by which keys expire. */
const READ_CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * The instant until which something is kept, by the server's clock: until the given instant, and for the given time from now on. The two
 * differ when the application's clock does. Keeping until the later one loses nothing.
 */
const KEEP_UNTIL = (instant: string, duration: string) => `
${READ_CLOCK}
local keptUntil = math.max(tonumber(${instant}), now + tonumber(${duration}), 1)
local keptUntilDigits = string.format('%016.0f', keptUntil)
keptUntil = string.format('%.0f', keptUntil)`;

/** Ends the name of the channel for ended sessions. It begins with the prefix of the sessions' keys. */
export const ENDED_CHANNEL = 'ended';

/**
 * Publishes the id of the session, which is the end of its key. A user of the server who may not publish still ends sessions: those who
 * listen notice that no message arrives.
 */
const TELL_END = `redis.pcall('PUBLISH', string.sub(KEYS[1], 1, -23) .. '${ENDED_CHANNEL}', string.sub(KEYS[1], -22))`;

/** ARGV: text, expiry, time to live. */
export const INSERT = script(
  KEEP_UNTIL('ARGV[2]', 'ARGV[3]'),
  `if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PXAT', keptUntil) then return ${APPLIED} end`,
  READ_LINE,
  IS_DONE,
  `return isDone() and ${APPLIED} or ${REFUSED}`,
);

/**
 * ARGV: expected version, version, expiry, secret hash, principal, covered until, stamp, body, time to live.
 * Without a stamp the coverage of the stored record must suffice.
 */
export const UPDATE = script(
  READ_LINE,
  IS_DONE,
  KEEP_UNTIL('ARGV[3]', 'ARGV[9]'),
  `
if version ~= ARGV[1] then return isDone() and ${APPLIED} or ${REFUSED} end
if ARGV[7] ~= '' then
  covered, stamp = ARGV[6], ARGV[7]
elseif principal ~= ARGV[5] or covered < keptUntilDigits then
  return ${UNCOVERED}
end
local isEnd = principal ~= ARGV[5] or hash ~= ARGV[4] or ARGV[3] < expiry
marks = nonce .. string.sub(marks, 1, #marks - #nonce)
line = table.concat({ '1', ARGV[2], ARGV[3], covered, stamp, marks, ARGV[4], id, ARGV[5] }, ' ')
redis.call('SET', KEYS[1], line .. '\\n' .. ARGV[8], 'PXAT', keptUntil)
if isEnd then ${TELL_END} end
return ${APPLIED}`,
);

/**
 * ARGV: expected version, expiry, covered until, stamp, time to live. Without a stamp the coverage of the stored record must
 * suffice; otherwise the answer is a list with principal and stamp of the record.
 */
export const EXTEND = script(
  READ_LINE,
  KEEP_UNTIL('ARGV[2]', 'ARGV[5]'),
  `
if version ~= ARGV[1] then return ${REFUSED} end
if ARGV[4] ~= '' then
  redis.call('SETRANGE', KEYS[1], 36, ARGV[3] .. ' ' .. ARGV[4])
elseif principal ~= 'null' and covered < keptUntilDigits then
  return { ${UNCOVERED}, principal, stamp }
end
redis.call('SETRANGE', KEYS[1], 19, ARGV[2])
redis.call('PEXPIREAT', KEYS[1], keptUntil)
return ${APPLIED}`,
);

/** ARGV: the required principal, or an empty text. Answers principal and stamp of the removed session, or nothing. */
export const DELETE = script(
  READ_LINE,
  `
if ARGV[1] ~= '' and principal ~= ARGV[1] then return false end
if redis.call('DEL', KEYS[1]) == 0 then return false end
${TELL_END}
return { principal or 'null', stamp or '' }`,
);

/**
 * Adds a session to the index of its principal, or prolongs its entry, and removes outdated entries. The index expires with its last
 * entry. ARGV: id, until, time to live, and the entry's stamp, or an empty text for a new entry. Answers the stamp, and until when the entry
 * stands by the server's clock.
 */
export const ADD_ENTRY = script(
  KEEP_UNTIL('ARGV[2]', 'ARGV[3]'),
  `
local stamp = ARGV[4]
if stamp == '' then stamp = string.format('%016.0f', now) end
redis.call('ZADD', KEYS[1], 'GT', keptUntil, ARGV[1] .. stamp)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now))
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2])) end
return { stamp, keptUntilDigits }`,
);

/** Answers all entries. */
export const LIST_ENTRIES = script(`return redis.call('ZRANGE', KEYS[1], 0, -1)`);

/** Removes entries. ARGV: the entries. */
export const REMOVE_ENTRIES = script(`
for at = 1, #ARGV - 1 do redis.call('ZREM', KEYS[1], ARGV[at]) end
return ${APPLIED}`);

/** Removes entries without a session, except recent ones, whose session may not be written yet. ARGV: the entries. */
export const PRUNE_ENTRIES = script(
  READ_CLOCK,
  `
for at = 1, #ARGV - 1 do
  local stamp = tonumber(string.sub(ARGV[at], -16)) or 0
  if stamp <= now - ${ENTRY_GRACE} then redis.call('ZREM', KEYS[1], ARGV[at]) end
end
return ${APPLIED}`,
);
