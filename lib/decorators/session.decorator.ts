import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import type { Session as LoadedSession } from '../core/session';
import type { KeyOf, SessionData, SessionKey } from '../core/session-data';
import { scopeOf } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { untouching } from './untouching';
import { untransformed } from './untransformed';

/** Selects the instance, and optionally one key of its session. */
export interface SessionSelection {
  /** @default 'default' */
  readonly name?: string;
  /** Selects one value instead of the whole session. */
  readonly key?: KeyOf;
  /**
   * Whether the request is a use of the session, after which its idle timeout begins anew. With `false` the timeout goes on, whatever the
   * request changes, unless it logs a user in: for a page that polls, or asks how much time is left.
   * @default true
   */
  readonly touch?: boolean;
}

const injectSession = createParamDecorator(
  async ({ name = DEFAULT_SESSION, key, touch }: SessionSelection, context: ExecutionContext) => {
    const handle = scopeOf(context).handle(name);
    if (touch === false) handle.leaveIdle();
    const session = await handle.open();
    return key === undefined ? session : session.get(key);
  },
);

/**
 * Passes the loaded session, or one of its values, to a handler: `@Session() session: Session`, `@Session('theme') theme`,
 * `@Session({ name: 'admin' }) session: Session`. Pipes follow the key, as in Nest's own decorators.
 *
 * Import it from 'nestjs-tessera': Nest's own `@Session()` passes `req.session`, which this library does not set.
 */
export function Session(
  selection: KeyOf | SessionSelection = {},
  ...pipes: (Type<PipeTransform> | PipeTransform)[]
): ParameterDecorator {
  const selected = typeof selection === 'string' ? { key: selection } : selection;
  const injected = injectSession(selected, ...pipes);
  const decorator = selected.touch === false ? untouching(injected, selected.name) : injected;
  return selected.key === undefined && pipes.length === 0 ? untransformed(decorator) : decorator;
}

/** The session of one client. */
export type Session = LoadedSession;

/** The type of the value of a key. */
export type SessionValue<K extends SessionKey> = SessionData[K] | undefined;
