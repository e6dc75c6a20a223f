import { inspect } from 'node:util';
import { parse as parseDuration } from '@lukeed/ms';
import type { Timeouts } from './core/session-expiry';
import { isRepositoryProvider } from './core/session-repository';
import type { SessionStore } from './core/session-store';
import { isPrincipalIndexed } from './core/store-capabilities';
import { POLICIES, type PolicyName, type PolicyTimeouts } from './core/session-policy';
import { HTTP_TOKEN } from './transports/cookie-options';
import type { SessionTransport } from './transports/session-transport';

export function storeProblems(store: unknown): string[] {
  if (typeof store === 'function') return [`store is a class; pass an instance: new ${store.name}(…)`];
  if (typeof store === 'object' && store !== null && isRepositoryProvider(store)) return [];
  const missing = (['find', 'insert', 'update', 'extend', 'delete'] as const).filter(
    (method) => typeof (store as Partial<SessionStore> | null)?.[method] !== 'function',
  );
  const { then, get, destroy } = Object(store) as Record<string, unknown>;
  if (missing.length > 0 && typeof then === 'function')
    return ['store is a promise; await it, with forRootAsync({ useFactory: async () => … })'];
  if (missing.length > 0 && typeof get === 'function' && typeof destroy === 'function')
    return ["store is an express-session store; pass fromExpressStore(store) of 'nestjs-tessera/bridges'"];
  return missing.map((method) => `store has no method ${method}(); pass a SessionStore`);
}

export function transportProblems(transport: unknown): string[] {
  if (typeof transport === 'function')
    return [`transport is a class; pass an instance: new ${transport.name}(…)`];
  const given = Object(transport) as Partial<SessionTransport>;
  const problems = (['read', 'capacity', 'obstacle', 'write'] as const)
    .filter((method) => typeof given[method] !== 'function')
    .map((method) => `transport has no method ${method}(); pass a SessionTransport`);
  for (const key of ['channel', 'sealedFor'] as const) {
    if (typeof given[key] !== 'string' || given[key] === '')
      problems.push(
        `transport.${key} must be a non-empty string that names what carries the token, got ${show(given[key])}`,
      );
  }
  const { vary } = given;
  if (!Array.isArray(vary) || !vary.every((name) => typeof name === 'string' && HTTP_TOKEN.test(name)))
    problems.push(`transport.vary must be an array of names of request headers, got ${show(vary)}`);
  return problems;
}

export function presetOf(policy: unknown, problems: string[]): PolicyTimeouts | null {
  if (policy === undefined) return null;
  if (typeof policy === 'string' && Object.hasOwn(POLICIES, policy)) return POLICIES[policy as PolicyName];
  problems.push(`policy must be one of ${Object.keys(POLICIES).join(', ')}, got ${show(policy)}`);
  return null;
}

/** Returns a problem for each timeout that is longer than a preset allows. */
export function beyondPreset(
  [timeouts, rememberedTimeouts]: readonly [Timeouts, Timeouts],
  policy: PolicyName,
  preset: PolicyTimeouts,
): string[] {
  const problems: string[] = [];
  for (const [prefix, { lifetime, idleTimeout }] of [
    ['', timeouts],
    ['rememberMe.', rememberedTimeouts],
  ] as const) {
    if (lifetime > parseDuration(preset.lifetime)!)
      problems.push(`${prefix}lifetime is longer than policy '${policy}' allows: at most ${preset.lifetime}`);
    const longest = preset.idleTimeout === false ? Infinity : parseDuration(preset.idleTimeout)!;
    if ((idleTimeout ?? Infinity) > longest)
      problems.push(
        `${prefix}idleTimeout is longer than policy '${policy}' allows: at most ${String(preset.idleTimeout)}`,
      );
  }
  return problems;
}

export function findsByPrincipal(store: unknown): boolean {
  return typeof store !== 'object' || store === null || isPrincipalIndexed(store);
}

export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 0 });
}
