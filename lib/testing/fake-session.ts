import { systemClock, type Clock } from '../core/clock';
import { DEFAULT_LOGIN_SETTINGS } from '../core/login-settings';
import type { LoginOptions } from '../core/login';
import { toPendingWrite } from '../core/pending-write';
import type { PrincipalInput } from '../core/principal';
import { Session } from '../core/session';
import { jsonCodec } from '../core/session-codec';
import type { SessionData } from '../core/session-data';
import { SessionDraft } from '../core/session-draft';
import type { SessionSettings } from '../core/session-settings';
import { decodeContent } from '../core/session-body';
import { parseToken } from '../core/session-token';
import { DEFAULT_SESSION } from '../requests/session.tokens';

const HOUR = 60 * 60 * 1000;

/** What a session for a unit test contains. */
export interface FakeSession extends LoginOptions {
  /** The values of the session, by key. @default empty */
  readonly data?: Partial<SessionData>;
  /** The principal that is logged in. @default none */
  readonly principal?: PrincipalInput;
  /** The source of time. @default the machine's clock */
  readonly clock?: Clock;
  /** As the module's options, in milliseconds. @default 24 hours, and 30 minutes */
  readonly timeouts?: {
    /** Maximum duration from the creation or login. */
    readonly lifetime: number;
    /** Maximum time between two requests; `null` for no limit within the lifetime. */
    readonly idleTimeout: number | null;
  };
}

/**
 * Returns a session without an application, for the unit test of a handler or a service that is passed one. It behaves as a request finds
 * it: stored and unchanged if it has data or a principal, else new. What changes it can be read from it; nothing commits it.
 *
 * ```ts
 * const session = fakeSession({ data: { cart: ['pear'] }, principal: { id: 7 } });
 * new CartController().add(session, 'fig');
 * expect(session.get('cart')).toEqual(['pear', 'fig']);
 * ```
 * @throws what `set` and `login` throw
 */
export function fakeSession({
  data = {},
  principal,
  clock = systemClock,
  timeouts = { lifetime: 24 * HOUR, idleTimeout: HOUR / 2 },
  ...login
}: FakeSession = {}): Session {
  const settings: SessionSettings = {
    ...{ name: DEFAULT_SESSION, clock, timeouts, codec: jsonCodec },
    rememberedTimeouts: { lifetime: 30 * 24 * HOUR, idleTimeout: null },
    logins: DEFAULT_LOGIN_SETTINGS,
    ...{ persistent: false, rotateEvery: null, sealedFor: '', emit: () => {} },
    ...{ maxBytes: 64 * 1024, storeTimeout: 3000 },
  };
  const newDraft = (): SessionDraft =>
    new SessionDraft(settings, (token) => parseToken(token, DEFAULT_SESSION) !== null);

  const draft = newDraft();
  draft.begin();
  const session = new Session(draft);
  for (const [key, value] of Object.entries(data)) session.set(key as never, value as never);
  if (principal !== undefined) session.login(principal, login);
  if (session.status === 'unchanged') return session;
  const { record, token } = toPendingWrite(draft);
  const found = newDraft();
  found.load(record, token);
  decodeContent(found.state, settings.codec);
  return new Session(found);
}
