import type { Device } from '../core/device';
import { SessionError } from '../core/session.errors';
import type { RequestHeaders } from '../transports/session-transport';

/** What a login knows of its client. */
export interface DeviceRequest {
  readonly headers: RequestHeaders;
  /** The client's address, as the framework trusts its proxies; `null` when it is unknown. */
  readonly address: string | null;
}

/** Returns the label of a client, such as `Firefox on Windows`. 512 characters of it are kept. `login` throws what it throws. */
export type DeviceDescription = (request: DeviceRequest) => string;

/** Maximum length of what is read and of what is kept, in UTF-16 code units. */
const MAX_LENGTH = 512;

/** Control and format characters, such as those that reverse the direction of a text. The text comes from the client. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Surrogate}]/gu;

/**
 * Returns the function that describes the client at a login.
 * @throws SessionError `SESSION_OPTIONS_INVALID` when `true` needs `bowser` and it is not installed
 */
export function deviceDescription(
  devices: boolean | DeviceDescription,
): ((request: DeviceRequest) => Device) | null {
  if (devices === false) return null;
  const describe = devices === true ? byBowser() : devices;
  return (request) => {
    const label = String(describe(request)).replace(CONTROL, '').slice(0, MAX_LENGTH);
    const address = request.address?.slice(0, MAX_LENGTH) ?? null;
    return { label, address };
  };
}

/** The used part of `bowser`. */
interface Bowser {
  parse(userAgent: string): { readonly browser: Named; readonly os: Named };
}

interface Named {
  readonly name?: string;
}

function byBowser(): DeviceDescription {
  const bowser = loadBowser();
  return ({ headers }) => {
    const userAgent = headers['user-agent'];
    if (typeof userAgent !== 'string' || userAgent === '') return UNKNOWN;
    const { browser, os } = bowser.parse(userAgent.slice(0, MAX_LENGTH));
    if (!browser.name) return os.name || UNKNOWN;
    return os.name ? `${browser.name} on ${os.name}` : browser.name;
  };
}

const UNKNOWN = 'Unknown device';

function loadBowser(): Bowser {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an optional peer, loaded when it is asked for
    return require('bowser') as Bowser;
  } catch (cause) {
    throw new SessionError(
      'SESSION_OPTIONS_INVALID',
      'devices: true needs the package bowser: npm install bowser. Or pass a function that returns the label.',
      { cause },
    );
  }
}
