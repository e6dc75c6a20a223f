const { refuseCircles } = require('./test/support/import-circles');

// Dependencies point one way and never in a circle: core imports nothing; transports and stores import core, requests both of core
// and transports; http, websockets and graphql are doors to requests; decorators, guards and session.service import requests;
// session.module.ts imports everything.

/** What may stand in a file below lib/: no entry file, no package of our own name. */
const entry = {
  regex: '^(?:\\.{1,2}/)*\\.{0,2}(?:/?index)?$|^nestjs-tessera(?:/|$)',
  message: 'Inside lib/ a file is imported by its own path, never through an entry.',
};

/** What requests must not know: each door brings its own protocol. */
const http = [
  {
    regex: '^node:http|^@nestjs/platform-',
    message: 'lib/requests serves every door: keep HTTP in lib/http.',
  },
  {
    regex: '^@nestjs/common$',
    importNamePattern: '^Http|Exception$',
    message: 'lib/requests throws no exception of HTTP: a door translates.',
  },
];

/** A folder of lib/ that may reach, besides itself, the folders named and no other. */
function folder(name, knows, refused = []) {
  const known = knows.map((other) => `${other}/`).join('|');
  return {
    files: [`lib/${name}/**/*.ts`],
    excludedFiles: ['*.spec.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            entry,
            {
              // A leading run of ../ that does not lead into a known folder.
              regex: `^(?:\\.\\./)+(?!\\.\\./|${known})`,
              message: `lib/${name} may import itself and ${knows.map((other) => `lib/${other}`).join(', ')}.`,
            },
            ...refused,
          ],
        },
      ],
    },
  };
}

/** @type {import('eslint').Linter.LegacyConfig} */
module.exports = {
  root: true,
  ignorePatterns: ['dist', 'node_modules', 'coverage', 'artifacts'],
  env: { node: true, es2023: true },
  parserOptions: { ecmaVersion: 2023, sourceType: 'module' },
  extends: ['eslint:recommended'],
  reportUnusedDisableDirectives: true,
  overrides: [
    { files: ['*.js'], parserOptions: { sourceType: 'commonjs' } },
    // What runs in a page.
    { files: ['test/site/*.mjs'], env: { browser: true } },
    { files: ['sample/*/public/*.js'], env: { browser: true }, parserOptions: { sourceType: 'module' } },
    {
      files: ['*.ts'],
      parser: '@typescript-eslint/parser',
      parserOptions: {
        project: ['./tsconfig.json', './test/*/tsconfig.json', './sample/*/tsconfig.json'],
        tsconfigRootDir: __dirname,
      },
      plugins: ['@typescript-eslint'],
      extends: ['plugin:@typescript-eslint/recommended-type-checked', 'prettier'],
      rules: {
        '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
        '@typescript-eslint/switch-exhaustiveness-check': [
          'error',
          { considerDefaultExhaustiveForUnions: true },
        ],
        // SessionData is empty until an application fills it, so its keys are never, in here alone.
        '@typescript-eslint/no-redundant-type-constituents': 'off',
        // Session is both a decorator and a type; merging an empty interface is how applications type it.
        '@typescript-eslint/no-redeclare': 'off',
        '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'always' }],
        // Nest awaits handlers, listeners and lifecycle hooks whether or not they await themselves.
        '@typescript-eslint/require-await': 'off',
      },
    },
    {
      files: ['lib/**/*.ts'],
      rules: {
        'no-restricted-syntax': [
          'error',
          {
            selector: 'ExportAllDeclaration',
            message: 'The surface is a list somebody wrote: name each export.',
          },
        ],
      },
    },
    {
      files: ['lib/{core,http,requests,transports}/**/*.ts'],
      excludedFiles: ['*.spec.ts'],
      rules: {
        'no-restricted-syntax': [
          'error',
          'ExportAllDeclaration',
          {
            selector: 'ObjectExpression > Property[kind=/^[gs]et$/]',
            message:
              'V8 gives each object of such a literal a hidden class of its own, which keeps all it refers to until a full collection: 20 µs a request. Write a class.',
          },
        ],
      },
    },
    {
      files: ['lib/core/**/*.ts'],
      excludedFiles: ['*.spec.ts'],
      rules: {
        '@typescript-eslint/no-restricted-imports': [
          'error',
          {
            patterns: [
              { regex: '^(?!node:|\\./[^.])', message: 'lib/core imports node: and its own files.' },
            ],
          },
        ],
      },
    },
    folder('transports', ['core']),
    {
      // The stores know core; that of TypeORM is one of SQL, whose folder has folders.
      files: ['lib/stores/**/*.ts'],
      excludedFiles: ['*.spec.ts'],
      rules: {
        '@typescript-eslint/no-restricted-imports': [
          'error',
          {
            patterns: [
              entry,
              {
                regex: '^(?:\\.\\./)+(?!\\.\\./|core/|sql/|dialects/|[^/]+$)',
                message:
                  'lib/stores may import itself and lib/core; only TypeORM imports another store, that of SQL.',
              },
            ],
          },
        ],
      },
    },
    folder('requests', ['core', 'transports'], http),
    folder('http', ['core', 'transports', 'requests']),
    folder('websockets', ['core', 'transports', 'requests']),
    folder('graphql', ['core', 'transports', 'requests']),
    folder('passport', ['core', 'requests']),
    folder('express-session', ['core', 'requests']),
    folder('metrics', ['core']),
    folder('terminus', ['core', 'requests']),
    folder('decorators', ['core', 'requests']),
    folder('guards', ['core', 'requests', 'decorators']),
    folder('testing', ['core', 'transports', 'stores', 'requests']),
    {
      // It may import everything, and nothing imports it.
      files: ['lib/cli/**/*.ts'],
      rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [entry] }] },
    },
    {
      files: ['lib/*.ts'],
      excludedFiles: ['*.spec.ts'],
      rules: {
        '@typescript-eslint/no-restricted-imports': [
          'error',
          {
            patterns: [
              entry,
              {
                regex:
                  '^\\./(?:terminus|testing|websockets|passport|express-session|cli|stores/(?!memory/)[^/]+)(?:/|$)|^typeorm$',
                message: 'What needs an optional peer lives behind its own package entry.',
              },
            ],
          },
        ],
      },
    },
    {
      files: ['lib/session.service.ts', 'lib/session.registry.ts'],
      rules: {
        '@typescript-eslint/no-restricted-imports': [
          'error',
          {
            patterns: [
              entry,
              {
                regex: '^\\./(?!core/|requests/|session\\.registry$)',
                message: 'The service serves every door: lib/core, lib/requests.',
              },
            ],
          },
        ],
      },
    },
    ...refuseCircles(__dirname, 'lib'),
    {
      files: ['sample/**/*.ts', 'bench/**/*.{ts,js,mjs}'],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                regex:
                  '^(?:\\.\\.?/)+(?:.*/)?(?:lib|dist)(?:/|$)|^nestjs-tessera/(?!(?:sql|typeorm|redis|file|tiered|sealed|bridges|terminus|testing|websockets|passport|express-session)$)',
                message: 'Import the package by its name, as an application does.',
              },
            ],
          },
        ],
      },
    },
    {
      files: ['*.spec.ts', '*.e2e-spec.ts', 'test/**/*.ts'],
      rules: {
        // Answers of fetch and of Nest's injector are any, and a test asserts on them at once.
        '@typescript-eslint/no-unsafe-assignment': 'off',
        '@typescript-eslint/no-unsafe-member-access': 'off',
        '@typescript-eslint/no-unsafe-argument': 'off',
        '@typescript-eslint/unbound-method': 'off',
      },
    },
  ],
};
