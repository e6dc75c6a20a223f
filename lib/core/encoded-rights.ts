import { check, isDictionary, isNumberOrNull, isText, isTexts } from './body-checks';
import type { Device } from './device';
import { frozen, type Principal } from './principal';
import { DEFAULT_LEVEL, NO_RIGHTS, type Actor, type Rights } from './rights';

export type EncodedPrincipal = readonly [
  id: string,
  realm: string,
  roles: readonly string[],
  claims?: Record<string, unknown>,
];

/** What most logins do not have. */
export interface EncodedDetails {
  readonly amr?: readonly string[];
  /** @default 1 with a principal */
  readonly level?: number;
  readonly pending?: true;
  readonly actor?: readonly [
    principal: EncodedPrincipal,
    level: number,
    amr: readonly string[],
    content: string,
  ];
  readonly device?: readonly [label: string, address: string | null];
}

export type EncodedRights = readonly [
  principal: EncodedPrincipal | null,
  authenticatedAt: number | null,
  details?: EncodedDetails,
];

export function encodePrincipal(principal: Principal | null): EncodedPrincipal | null {
  if (principal === null) return null;
  const { id, realm, roles, claims } = principal;
  return claims === undefined ? [id, realm, roles] : [id, realm, roles, claims];
}

/** Returns `null` for the details that a login has unless it names others. */
export function encodeDetails(
  { amr, level, isPending, actor }: Rights,
  device: Device | null,
): EncodedDetails | null {
  if (amr.length === 0 && level === DEFAULT_LEVEL && !isPending && actor === null && device === null)
    return null;
  return {
    ...(amr.length > 0 && { amr }),
    ...(level !== DEFAULT_LEVEL && { level }),
    ...(isPending && { pending: true as const }),
    ...(actor && { actor: [encodePrincipal(actor.principal)!, actor.level, actor.amr, actor.content] }),
    ...(device && { device: [device.label, device.address] }),
  };
}

export function encodeRights(rights: Rights): EncodedRights {
  const { principal, authenticatedAt } = rights;
  const details = principal === null ? null : encodeDetails(rights, null);
  const encoded = encodePrincipal(principal);
  return details === null ? [encoded, authenticatedAt] : [encoded, authenticatedAt, details];
}

export function decodeRights([principal, authenticatedAt, details = {}]: EncodedRights): Rights {
  check(isNumberOrNull(authenticatedAt));
  if (principal === null) return { ...NO_RIGHTS, authenticatedAt };
  const { device: _, ...rights } = decodeDetails(details);
  return { principal: decodePrincipal(principal), authenticatedAt, ...rights };
}

type Details = Pick<Rights, 'amr' | 'level' | 'isPending' | 'actor'> & { readonly device: Device | null };

export function decodeDetails({
  amr = NO_RIGHTS.amr,
  level = DEFAULT_LEVEL,
  ...rest
}: EncodedDetails): Details {
  const { pending: isPending = false, actor, device } = rest;
  check(isTexts(amr) && Number.isSafeInteger(level) && typeof isPending === 'boolean');
  return {
    ...{ amr: Object.freeze(amr), level, isPending },
    actor: actor === undefined ? null : decodeActor(actor),
    device: device === undefined ? null : decodeDevice(device),
  };
}

function decodeActor([principal, level, amr, content]: NonNullable<EncodedDetails['actor']>): Actor {
  check(Number.isSafeInteger(level) && isTexts(amr) && isText(content));
  return { principal: decodePrincipal(principal), level, amr: Object.freeze(amr), content };
}

function decodeDevice([label, address]: NonNullable<EncodedDetails['device']>): Device {
  check(isText(label) && (address === null || isText(address)));
  return { label, address };
}

/** The principal is frozen, because application code gets it: only the calls that renew the token may change it. */
export function decodePrincipal(encoded: EncodedPrincipal): Principal {
  const id = encoded[0];
  const realm = encoded[1];
  const roles = encoded[2];
  check(isText(id) && isText(realm) && isTexts(roles));
  const principal = { id, realm, roles: Object.freeze(roles) };
  if (encoded.length === 3) return Object.freeze(principal);
  check(isDictionary(encoded[3]));
  return Object.freeze({ ...principal, claims: frozen(encoded[3]) as NonNullable<Principal['claims']> });
}
