import { UsageError } from './arguments';

/** How a URL of MySQL asks for TLS. */
const TLS_OF_MYSQL =
  'ssl=true for TLS with a certificate that is checked, or ssl={…} with the options of mysql2 as JSON, percent-encoded';

/**
 * Parses the URL of a server.
 * @throws UsageError, whose message has no part of it, for what is no URL: a driver might take a part of the password for the host, and show it
 */
export function serverUrl(text: string): URL {
  try {
    const url = new URL(text);
    decodeURIComponent(url.username + url.password + url.pathname);
    // Else the password ends at its first slash, and what follows an @ in it is taken for the host.
    if (!`${url.pathname}${url.search}${url.hash}`.includes('@')) return url;
  } catch {
    // The message of the error may repeat a part.
  }
  throw new UsageError(
    '--store is no valid URL. Percent-encode what is no letter or digit in its name and password: %40 for @, %2F for /, %23 for #.',
  );
}

/**
 * Returns the option `ssl` that a URL of MySQL asks for.
 * @throws UsageError for any other parameter
 */
export function tlsOfMysql({ searchParams }: URL): { readonly ssl?: object } {
  const { ssl, ...others } = Object.fromEntries(searchParams);
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw new UsageError(`A URL of MySQL has ${TLS_OF_MYSQL}, and no other parameter.`);
  if (ssl === undefined) return {};
  try {
    const options: unknown = ssl === 'true' ? {} : JSON.parse(ssl);
    if (typeof options === 'object' && options !== null && !Array.isArray(options)) return { ssl: options };
  } catch {
    // The same as below.
  }
  throw new UsageError(`The parameter ssl of a URL of MySQL is ${TLS_OF_MYSQL}.`);
}
