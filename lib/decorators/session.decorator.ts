import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import type { Session as LoadedSession } from '../core/session';
import type { SessionData, SessionKey } from '../core/session-data';
import { openSession } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';

/** Which instance's session, and which of its keys. */
export interface SessionSelection {
  /** @default 'default' */
  readonly name?: string;
  /** A single value instead of the whole session. */
  readonly key?: SessionKey;
}

const inject = createParamDecorator(
  ({ name = DEFAULT_SESSION, key }: SessionSelection, context: ExecutionContext) => {
    const opening = openSession(context, name);
    return key === undefined ? opening : opening.then((session) => session.get(key));
  },
);

/**
 * Hands a handler its session, or one value of it, already loaded: `@Session() session: Session`, `@Session('theme') theme`,
 * `@Session({ name: 'admin' }) session: Session`. Pipes follow the key, as with Nest's own decorators.
 *
 * Import it from 'nestjs-tessera': Nest's own `@Session()` hands over `req.session`, which this library leaves alone.
 */
export function Session(
  selection: SessionKey | SessionSelection = {},
  ...pipes: (Type<PipeTransform> | PipeTransform)[]
): ParameterDecorator {
  return inject(typeof selection === 'string' ? { key: selection } : selection, ...pipes);
}

/** One client's session: see the methods. */
export type Session = LoadedSession;

/** The type of the value under a key. */
export type SessionValue<K extends SessionKey> = SessionData[K] | undefined;
