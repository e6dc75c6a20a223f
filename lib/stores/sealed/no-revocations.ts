import { SessionError } from '../../core/session.errors';
import type { Revocations, RevocationStatus } from './revocations';

const GOOD: Promise<RevocationStatus> = Promise.resolve({ kind: 'good', entry: null });

/** For `dangerouslyWithoutRevocation`: every genuine value is valid until it expires. */
export const noRevocations: Revocations = {
  statusOf: () => GOOD,
  deadUntil: async () => -Infinity,
  renew: async () => true,
  keep: async () => true,
  stay: async () => {},
  end: async () => {},
  revoke: async () => {},
  revocationOf: async () => null,
  endAll: async () => {
    throw new SessionError(
      'SESSION_OPTIONS_INVALID',
      'endAll() is not possible: these SealedSessions have no revocation. Set the option revocations to a store.',
    );
  },
};
