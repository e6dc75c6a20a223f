import { AssertionError } from 'node:assert';
import type { INestApplicationContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Session } from '../core/session';
import type { SessionToken } from '../core/session-token';
import { SessionInstances, type SessionInstance } from '../requests/session-instance';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import type { SessionTransport } from '../transports/session-transport';
import { entriesOf, valuesOf, type ResponseHeader } from './response-headers';
import { writtenHeaders } from './written-headers';

/** A response of `fetch`, of supertest, or of `inject()` of Fastify. */
export interface TestResponse {
  /** An object by name, a `Headers` of any package, or a `Map`. */
  readonly headers: object;
  /** The status, for the message of a failure; of `fetch` and supertest. */
  readonly status?: number;
  /** The same; of `inject()`. */
  readonly statusCode?: number;
  /** Whether redirects came before it; of `fetch`. */
  readonly redirected?: boolean;
  /** The same; of supertest. */
  readonly redirects?: readonly string[];
}

/** What a response tells its client of the token. */
type Telling =
  | { readonly kind: 'issued'; readonly token: string }
  | { readonly kind: 'cleared' }
  /** Empties it by a line that is not the transport's. */
  | { readonly kind: 'emptied' }
  | { readonly kind: 'kept' };

const EXPECTED = {
  issued: 'issue a session token',
  cleared: 'clear the session token',
  kept: 'leave the client its session token',
};

const FOUND = {
  issued: 'it issues a new one',
  cleared: 'it clears it',
  emptied:
    'it empties it with other attributes than the transport does, so that a browser may keep it: use logout() or destroy()',
  kept: 'it says nothing of one',
};

/** Stands for a token, to find where a transport writes it. */
const PROBE = 'the-token-of-expectSession' as SessionToken;

/**
 * Asserts what a response does to its client's session. Works with every test runner: a failure is an `AssertionError`.
 *
 * ```ts
 * const session = await expectSession(response, app).issued(); // after a login
 * session.principal?.id; // '7'
 * expectSession(response, app).cleared(); // after a logout
 * ```
 *
 * @param options `name` is that of the session's instance, `'default'` by default
 * @throws SessionError `SESSION_MODULE_MISSING`; TypeError for what is no response, for the last response after redirects if only an earlier one can
 * have told a token, and for a transport of your own that encodes it
 */
export function expectSession(
  response: TestResponse,
  app: INestApplicationContext,
  { name = DEFAULT_SESSION }: { readonly name?: string } = {},
): SessionExpectation {
  return new SessionExpectation(response, SessionInstances.of(app.get(HttpAdapterHost)).get(name));
}

/** The assertions of {@link expectSession}. */
export class SessionExpectation {
  readonly #manager: SessionInstance['manager'];
  readonly #telling: Telling;
  readonly #status: number | undefined;

  /** @internal `expectSession` creates it. */
  constructor(response: TestResponse, { manager, transport }: SessionInstance) {
    this.#manager = manager;
    const { headers, status, statusCode } = (response as TestResponse | undefined) ?? {};
    this.#status = status ?? statusCode;
    this.#telling = tellingOf(entriesOf(headers), transport);
    if (this.#telling.kind === 'kept' && hasFollowed(response))
      throw new TypeError(
        "expectSession() got a response after redirects, which may have told a token before. Do not follow them: fetch(url, { redirect: 'manual' }), .redirects(0) of supertest.",
      );
  }

  /**
   * Asserts that the client is given a token, and returns the session that it opens now, to read it.
   * @throws AssertionError, also when that session has ended; SessionStoreError
   */
  async issued(): Promise<Session> {
    if (this.#telling.kind !== 'issued') throw this.#failure('issued');
    const session = await this.#manager.open(this.#telling.token);
    if (session.isNew) throw this.#failure('issued', 'the one it issues opens no session any more');
    return session;
  }

  /** Asserts that the client is told to forget its token. */
  cleared(): void {
    if (this.#telling.kind !== 'cleared') throw this.#failure('cleared');
  }

  /** Asserts that the client keeps the token it has, or stays without one. */
  kept(): void {
    if (this.#telling.kind !== 'kept') throw this.#failure('kept');
  }

  #failure(expected: keyof typeof EXPECTED, found = FOUND[this.#telling.kind]): AssertionError {
    const response = this.#status === undefined ? 'the response' : `the response (${this.#status})`;
    return new AssertionError({
      message: `Expected ${response} to ${EXPECTED[expected]}, but ${found}`,
      ...{ actual: this.#telling.kind, expected, operator: 'expectSession' },
    });
  }
}

/** Compares the headers of a response with what the transport would write. */
function tellingOf(headers: readonly ResponseHeader[], transport: SessionTransport): Telling {
  let telling: Telling = { kind: 'kept' };
  for (const part of transport.parts ?? [transport]) {
    const found = tellingOfPart(headers, part);
    if (found.kind === 'issued') return found;
    if (found.kind !== 'kept') telling = found;
  }
  return telling;
}

/** Of several lines about the token the last one counts, as in a browser. */
function tellingOfPart(headers: readonly ResponseHeader[], part: SessionTransport): Telling {
  const issuing = writtenHeaders(part, { kind: 'issue', token: PROBE, keepUntil: null }, 0);
  const forgetting = writtenHeaders(part, { kind: 'forget' }, 0);
  if (![...issuing.values()].flat().some((line) => line.includes(PROBE)))
    throw new TypeError(
      `expectSession() cannot read what this transport writes: it encodes the token of the ${part.channel} in a form of its own. Assert the header itself.`,
    );
  let telling: Telling = { kind: 'kept' };
  for (const name of new Set([...issuing.keys(), ...forgetting.keys()])) {
    const lines = issuing.get(name) ?? [];
    const pattern = lines.find((line) => line.includes(PROBE))?.split(PROBE);
    for (const value of valuesOf(headers, name)) {
      if (lines.includes(value)) continue;
      const token = pattern === undefined ? null : tokenIn(value, pattern);
      if (forgetting.get(name)?.includes(value)) telling = { kind: 'cleared' };
      else if (token !== null) telling = token === '' ? { kind: 'emptied' } : { kind: 'issued', token };
    }
  }
  return telling;
}

/** Returns the token of a line that begins as the transport's does, or `null`. What follows it, such as `Max-Age`, may differ. */
function tokenIn(line: string, [before = '', after = '']: readonly string[]): string | null {
  if (!line.startsWith(before)) return null;
  const rest = line.slice(before.length);
  return after === '' ? rest : rest.split(after[0]!, 1)[0]!;
}

/** Whether the client has followed redirects by itself. */
function hasFollowed({ redirected = false, redirects = [] }: TestResponse): boolean {
  return redirected || redirects.length > 0;
}
