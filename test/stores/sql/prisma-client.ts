import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { version } from 'prisma/package.json';
import type { fromPrisma } from 'nestjs-tessera/sql';

const run = promisify(execFile);
const manifest = require.resolve('prisma/package.json');
const CACHE = join(dirname(dirname(manifest)), '.cache', `tessera-prisma-${version}`);

type Raw = Parameters<typeof fromPrisma>[0];

/** A `PrismaClient` of a schema without models: sessions need none. */
export interface GeneratedClient extends Raw {
  $transaction<T>(run: (own: Raw) => Promise<T>): Promise<T>;
  $disconnect(): Promise<void>;
}

/** The class of the client for a database. It is generated once for each version of Prisma, which needs no network. */
export async function prismaClient(
  provider: 'postgresql' | 'mysql' | 'sqlite',
): Promise<new (options: { adapter: object }) => GeneratedClient> {
  const folder = join(CACHE, provider);
  const isGenerated = await access(folder).then(
    () => true,
    () => false,
  );
  if (!isGenerated) await generate(provider, folder);
  const load = createRequire(manifest);
  return (load(join(folder, 'client')) as { PrismaClient: never }).PrismaClient;
}

async function generate(provider: string, folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const own = await mkdtemp(join(CACHE, 'new-'));
  const schema = join(own, 'schema.prisma');
  await writeFile(
    schema,
    `generator client {
  provider = "prisma-client-js"
  output   = "./client"
}
datasource db {
  provider = "${provider}"
}
model Note {
  id Int @id
}
`,
  );
  await run(process.execPath, [join(dirname(manifest), 'build/index.js'), 'generate', '--schema', schema], {
    // Any program does: the engine for schemas is not used, and cannot be fetched everywhere.
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
  });
  // Another process may have been faster.
  await rename(own, folder).catch(() => rm(own, { recursive: true, force: true }));
}
