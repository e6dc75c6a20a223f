import { SessionError, SessionStoreError } from '../../core/session.errors';
import { codeOf } from './disk';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT:
    'a part of its directory has vanished, or was never prepared; restart the application, which makes it anew',
  ENOTDIR: 'a part of its directory is no directory any more',
  ENOSPC: 'no space is left; make room, or sweep more often',
  EDQUOT: 'the quota is used up; make room, or sweep more often',
  EMFILE: 'this process has too many files open; raise its limit',
  ENFILE: 'the machine has too many files open; raise its limit',
  EROFS: 'the file system is read-only',
  EACCES: 'this process may not do that in its directory',
  EPERM: 'this process may not do that in its directory',
};

/** The error as it may leave the store: the system's own would do no harm, but says less. */
export function toFileError(operation: string, error: unknown, isGivenUp: boolean): SessionError {
  if (error instanceof SessionError) return error;
  if (isGivenUp) return new SessionStoreError(operation, 'the call was given up before it was done');
  const code = codeOf(error);
  const reason = REASONS[code];
  if (reason !== undefined) return new SessionStoreError(operation, `${reason} (${code})`);
  const message = error instanceof Error ? error.message : 'something that is not an Error was thrown';
  return new SessionStoreError(operation, code === '' ? message : `the file system answered ${code}`);
}
