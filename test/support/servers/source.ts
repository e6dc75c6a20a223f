import { findBinary, folders } from './binaries';
import { mariadb, postgres, redis } from './programs';
import type { ServiceKind } from './server';

/** Where a test file gets a server from. */
export type Source =
  | { readonly kind: 'given'; readonly urls: readonly string[] }
  | { readonly kind: 'private' }
  | { readonly kind: 'missing'; readonly advice: string };

/** What the answer depends on. */
export interface Surroundings {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Where to look for programs. */
  readonly folders: readonly string[];
}

export const surroundings = (): Surroundings => ({ variables: process.env, folders: folders() });

interface Kind {
  readonly name: string;
  readonly binaries: readonly (readonly string[])[];
  readonly package: string;
  readonly variable: string;
  /** What `DATABASE_URL` begins with, if it is of this kind. */
  readonly scheme?: RegExp;
}

const redisKind = { binaries: redis().binaries, package: 'redis-server' };

const kinds: Record<ServiceKind, Kind> = {
  postgres: {
    name: 'PostgreSQL',
    binaries: postgres.binaries,
    package: 'postgresql',
    variable: 'POSTGRES_URL',
    scheme: /^postgres(?:ql)?:/,
  },
  mariadb: {
    name: 'MariaDB',
    binaries: mariadb.binaries,
    package: 'mariadb-server-core mariadb-client-core',
    variable: 'MARIADB_URL',
    scheme: /^(?:mariadb|mysql):/,
  },
  redis: { ...redisKind, name: 'Redis', variable: 'REDIS_URL' },
  'redis-cluster': { ...redisKind, name: 'Redis Cluster', variable: 'REDIS_CLUSTER_URLS' },
};

/** A server that a variable names, else one of our own. */
export function sourceOf(kind: ServiceKind, where: Surroundings): Source {
  const { variable, scheme } = kinds[kind];
  const general = where.variables['DATABASE_URL'];
  const given = where.variables[variable] || (general && scheme?.test(general) ? general : undefined);
  if (given) return { kind: 'given', urls: given.split(',').map((url) => url.trim()) };
  const own = privateSourceOf(kind, where);
  if (own.kind !== 'missing') return own;
  return {
    kind: 'missing',
    advice: `${own.advice}, or set ${variable} to a server of yours, such as those of compose.yaml.`,
  };
}

/** One of our own, whatever the variables say. */
export function privateSourceOf(kind: ServiceKind, where: Surroundings): Source {
  const { name, binaries, package: debian } = kinds[kind];
  const missing = binaries.filter((names) => findBinary(names, where.folders) === null);
  if (missing.length === 0) return { kind: 'private' };
  const programs = missing.map((names) => names.join(' or ')).join(' and ');
  return {
    kind: 'missing',
    advice: `${name} is needed: there is no ${programs}. Install it (apt-get install ${debian})`,
  };
}
