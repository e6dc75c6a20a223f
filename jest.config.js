// Nest 12, these dependencies of it and of Fastify, and some packages that tests use are ES modules, which Jest's
// CommonJS runtime cannot require as they stand; swc turns them into CommonJS. Everything else under node_modules is left alone.
const esModules = [
  ...['@nestjs', 'cookie', 'content-disposition', 'jose', 'keyv', '@keyv', 'hookified'],
  ...[
    'arktype',
    'arkregex',
    '@ark',
    'mercurius',
    'quick-lru',
    'openid-client',
    'oauth4webapi',
    '@electric-sql',
  ],
];

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  testMatch: [
    '<rootDir>/lib/**/*.spec.ts',
    '<rootDir>/test/**/*.spec.ts',
    '<rootDir>/sample/**/*.e2e-spec.ts',
  ],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/sample/[^/]+/dist/', '<rootDir>/docs/site/'],
  moduleNameMapper: {
    '^nestjs-tessera$': '<rootDir>/lib/index.ts',
    '^nestjs-tessera/(sql|typeorm|redis|file|tiered|sealed|bridges)$': '<rootDir>/lib/stores/$1/index.ts',
    '^nestjs-tessera/(terminus|testing|websockets|passport|express-session)$': '<rootDir>/lib/$1/index.ts',
  },
  transform: {
    '\\.[cm]?[jt]s$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          // As new as Node 20 itself: private fields and classes stay native.
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:.*/node_modules/)?(?:${esModules.join('|')})/)`],
  reporters: ['default', '<rootDir>/test/support/jest/not-run-reporter.js'],
  maxWorkers: 2,
  // A worker's heap grows with each file, and so does the time of its garbage collections: a fifth of all CPU without this limit.
  workerIdleMemoryLimit: '400MB',
  testTimeout: 30_000,
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/**/*.ts', '!lib/**/*.spec.ts'],
};
