const CONSEQUENCE =
  'so a connection that the network loses without closing it serves no request until TCP gives up, after about 15 minutes.';

/**
 * For a client that other code may use too, and that does not end silent connections itself.
 * @param lacks the settings that it lacks
 * @param setting what ends silent connections
 */
export function warnOfSilence(lacks: string, setting: string): string {
  return (
    `The Redis client has no ${lacks}, ${CONSEQUENCE} ` +
    `Give the store a client that only it uses, with closeClient: true, or set ${setting} on the client.`
  );
}

/** For a client of the store alone whose connection cannot be replaced. @param strategy the setting with which it can */
export function warnOfNoReconnect(strategy: string): string {
  return `The Redis client never reconnects, ${CONSEQUENCE} Set a ${strategy} on the client.`;
}
