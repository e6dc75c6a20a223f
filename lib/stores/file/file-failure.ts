import { SessionError, SessionStoreError } from '../../core/session.errors';
import { codeOf } from './disk';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT:
    'a part of its directory has vanished, or prepare() was never called; restart the application, which recreates the directory',
  ENOTDIR: 'a part of its directory is not a directory any more',
  ENOSPC: 'no space is left on the disk; free space, or sweep more often',
  EDQUOT: 'the disk quota is used up; free space, or sweep more often',
  EMFILE: 'this process has too many open files; raise its limit',
  ENFILE: 'the machine has too many open files; raise its limit',
  EROFS: 'the file system is read-only',
  EACCES: 'this process lacks permission in the directory; give its user read and write access',
  EPERM: 'this process lacks permission in the directory; give its user read and write access',
};

/** Converts an error of the file system into a `SessionStoreError` that says what to do. */
export function toFileError(operation: string, error: unknown, isGivenUp: boolean): SessionError {
  if (error instanceof SessionError) return error;
  if (isGivenUp) return new SessionStoreError(operation, 'the call was aborted before it completed');
  const code = codeOf(error);
  const reason = REASONS[code];
  if (reason !== undefined) return new SessionStoreError(operation, `${reason} (${code})`);
  const message = error instanceof Error ? error.message : 'something that is not an Error was thrown';
  return new SessionStoreError(operation, code === '' ? message : `the file system answered ${code}`);
}
