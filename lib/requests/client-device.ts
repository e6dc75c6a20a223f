import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import type { Device } from '../core/device';
import { SessionError } from '../core/session.errors';
import type { RequestHeaders } from '../transports/session-transport';

const logger = new Logger('SessionModule');

/** What a login knows of its client. */
export interface DeviceRequest {
  /** The headers of the request that logs in, `user-agent` among them. The client chooses them. */
  readonly headers: RequestHeaders;
  /** The client's address, as the framework trusts its proxies; `null` when it is unknown. */
  readonly address: string | null;
}

/**
 * Returns the label of a client, such as `Firefox on Windows`. 512 characters of it are kept. Synchronous. When it throws or returns no text,
 * the login goes on with `Unknown device`, and the first such error is logged.
 */
export type DeviceDescription = (request: DeviceRequest) => string;

/** Maximum length of what is read and of what is kept, in UTF-16 code units. */
const MAX_LENGTH = 512;

/**
 * Control and format characters, such as those that reverse the direction of a text, and separators of lines. The text comes from the
 * client.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;

const UNKNOWN = 'Unknown device';

/** The first product of a client that is no browser (RFC 9110 section 10.1.5), such as `curl` of `curl/8.14.1`. */
const PRODUCT = /^(?!Mozilla\b)[\w.-]{1,32}(?=\/)/;

/**
 * Returns the function that describes the client at a login.
 * @throws SessionError `SESSION_OPTIONS_INVALID` when `true` needs `bowser` and it is not installed
 */
export function deviceDescription(
  devices: boolean | DeviceDescription,
): ((request: DeviceRequest) => Device) | null {
  if (devices === false) return null;
  const describe = devices === true ? byBowser() : devices;
  let isReported = false;
  const labelOf = (request: DeviceRequest): string => {
    try {
      return cleaned(describe(request));
    } catch (error) {
      if (!isReported) logger.warn('A device could not be described, and is listed as unknown', error);
      isReported = true;
      return UNKNOWN;
    }
  };
  return (request) => {
    const address = request.address === null ? null : visible(request.address);
    return { label: labelOf(request), address };
  };
}

/** @throws TypeError when it is no text */
function cleaned(label: unknown): string {
  // A function that is asynchronous by mistake must not end the process when it fails.
  if (label instanceof Promise) label.catch(() => undefined);
  if (typeof label !== 'string')
    throw new TypeError(`devices must return a text, got ${inspect(label, { depth: 0 })}.`);
  return visible(label) || UNKNOWN;
}

/** The end may cut a pair of surrogates apart, so it comes first. */
function visible(text: string): string {
  return text.slice(0, MAX_LENGTH).replace(INVISIBLE, '').trim();
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
    const text = userAgent.slice(0, MAX_LENGTH);
    const { browser, os } = bowser.parse(text);
    if (!browser.name) return os.name || PRODUCT.exec(text)?.[0] || UNKNOWN;
    return os.name ? `${browser.name} on ${os.name}` : browser.name;
  };
}

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
