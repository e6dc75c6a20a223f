import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Consumer } from './support/consumer.mjs';
import { missingRegistry, node, npm, root } from './support/run.mjs';

const workbench = mkdtempSync(join(tmpdir(), 'nestjs-tessera-package-'));
// The script that runs this file has built already.
const [packed] = JSON.parse(
  await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', workbench], root),
);
const tarball = join(workbench, packed.filename);
const obstacle = await missingRegistry();

after(() => rmSync(workbench, { recursive: true, force: true }));

describe('the tarball', () => {
  const paths = packed.files.map(({ path }) => path);

  it('holds what it promises and nothing else', () => {
    const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
    assert.deepEqual(paths.filter((path) => !/^(dist|docs)\//.test(path)).sort(), expected);
    assert.deepEqual(
      paths.filter((path) => path.startsWith('docs/') && !/\.(md|png|svg)$/.test(path)),
      [],
    );
    assert.deepEqual(
      paths.filter((path) => path.startsWith('dist/') && !/(?<!\.spec)\.(d\.ts|js)$/.test(path)),
      [],
    );
  });

  it('is what publint and attw call a sound package', async () => {
    await node(['node_modules/publint/src/cli.js', '--strict', tarball], root);
    await node(['node_modules/@arethetypeswrong/cli/dist/index.js', tarball], root);
  });
});

const settings = ['express', 'fastify'].flatMap((platform) =>
  ['memory', 'typeorm', 'sql', 'file', 'tiered', 'sealed'].map((store) => `${platform}, ${store}`),
);

// `oldest`: settings for the oldest supported TypeScript. It lets CommonJS import the ES modules of Nest 12 for a bundler only.
const consumers = [
  { nest: 10, type: 'commonjs', typeorm: '^0.3.20', others: { redis: '^4.7.0' }, oldest: [] },
  {
    nest: 11,
    type: 'commonjs',
    oldest: [
      ['commonjs', 'node'],
      ['nodenext', 'nodenext'],
    ],
  },
  { nest: 12, type: 'module', oldest: [['esnext', 'bundler']] },
];

for (const { nest, type, oldest, ...versions } of consumers) {
  describe(`a fresh ${type} application on Nest ${nest}`, { skip: obstacle }, () => {
    const consumer = new Consumer(join(workbench, `nest-${nest}`), { nest, type, tarball, ...versions });
    after(() => consumer.stop());

    it('installs it without a warning about its peers', () => consumer.install());

    it('compiles against its types, its own session data included', () => consumer.compile());

    it('runs its program', async () => {
      assert.match(await consumer.program('keys'), /^[\w-]{43}\n$/);
      assert.match(
        await consumer.program('migration', '--dialect', 'sqlserver'),
        /^CREATE TABLE "tessera_sessions" /,
      );
    });

    for (const [module, resolution] of oldest) {
      it(`W41: compiles under the oldest supported TypeScript, with moduleResolution ${resolution}`, async () => {
        assert.deepEqual(await consumer.complaintsOfOldest(module, resolution), []);
      });
    }

    it('starts, and says nothing on the way', async () => {
      await consumer.start();
      assert.equal(consumer.complaints, '');
    });

    it('gets the same classes from require and from import, by name', () => {
      assert.deepEqual(consumer.strangers, []);
    });

    for (const setting of settings) {
      it(`keeps a session through login and logout: ${setting}`, async () => {
        const visitor = consumer.visitor(setting);
        assert.equal(await visitor.text('GET', '/visits'), '1');
        assert.equal(await visitor.text('GET', '/visits'), '2');
        assert.equal(await visitor.status('GET', '/me'), 401);

        const before = visitor.cookie;
        assert.equal(await visitor.status('POST', '/login', { id: 'ada' }), 201);
        assert.notEqual(visitor.cookie, before);
        assert.equal(await visitor.text('GET', '/me'), 'ada 2');

        assert.equal(await visitor.status('POST', '/logout'), 201);
        assert.equal(await visitor.status('GET', '/me'), 401);
      });
    }

    it('ends when it is told to', async () => assert.equal(await consumer.stop(), 0));
  });
}
