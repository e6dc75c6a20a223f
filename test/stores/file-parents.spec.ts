import fs from 'node:fs';
import promises from 'node:fs/promises';
import { join } from 'node:path';
import { FileSessionStore } from 'nestjs-tessera/file';
import { aRecord } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeUnless, itUnless } from '../support/not-run';
import { fileDirectory } from './file-directory';

/** The numbers of two users who own nothing here. Linux shows the second in a user namespace for users from outside it. */
const MALLORY = 4711;
const NOBODY = 65534;

const isRoot = process.geteuid?.() === 0;
const needsRoot = isRoot ? null : 'only root can give a folder to another user or group';

const refusal = (...words: string[]) =>
  expect.objectContaining({
    code: 'SESSION_OPTIONS_INVALID',
    message: expect.stringMatching(words.join('.*')),
  }) as Error;

let place: ReturnType<typeof fileDirectory>;

beforeEach(() => {
  place = fileDirectory();
});

afterEach(() => {
  jest.restoreAllMocks();
  place.remove();
});

/** Makes a folder beside the store's, with this mode and owner. */
function folder(name: string, mode: number, owner = process.geteuid!(), group = owner): string {
  const path = join(place.parent, name);
  fs.mkdirSync(path);
  if (isRoot) fs.chownSync(path, owner, group);
  fs.chmodSync(path, mode);
  return path;
}

function link(target: string, path: string, owner = process.geteuid!()): string {
  fs.symlinkSync(target, path);
  if (isRoot) fs.lchownSync(path, owner, owner);
  return path;
}

/** Whether a store in this directory works. */
async function isAccepted(directory: string, dangerouslyTrustWritableParents = false): Promise<boolean> {
  const store = new FileSessionStore(directory, { dangerouslyTrustWritableParents });
  const record = aRecord();
  await store.prepare();
  await store.insert(record, call);
  return (await store.find(record.id, call)) !== null;
}

/** Runs as another user, to whom the place is open. */
async function as<T>(user: number, work: () => Promise<T>): Promise<T> {
  fs.chmodSync(place.parent, 0o755);
  process.seteuid!(user);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}

describe('FileSessionStore below a folder that others can write', () => {
  const shares = [
    { who: 'all', mode: 0o777, gid: 0, reason: null },
    { who: 'the group fsGroup of a Kubernetes volume', mode: 0o2775, gid: MALLORY, reason: needsRoot },
    { who: 'the group of root, in which containers run', mode: 0o775, gid: 0, reason: needsRoot },
  ];
  for (const { who, mode, gid, reason } of shares)
    describeUnless(reason, `as ${who}`, () => {
      let shared: string;

      beforeEach(() => {
        shared = folder('shared', mode, process.geteuid!(), gid);
        fs.mkdirSync(join(shared, 'sessions'), 0o700);
      });

      it.each([
        { way: 'directly', pathIn: () => join(shared, 'sessions') },
        { way: 'further up', pathIn: () => join(shared, 'shop', 'sessions') },
        {
          way: 'by a link',
          pathIn: () => {
            link('shared/sessions', join(place.parent, 'link'));
            return join(shared, '..', 'link');
          },
        },
      ])('W21: is refused, with the folder, its mode and the way out: $way', async ({ pathIn }) => {
        await expect(isAccepted(pathIn())).rejects.toEqual(
          refusal(
            `below ${JSON.stringify(shared)}`,
            `mode is ${mode.toString(8)}`,
            'chmod go-w',
            'dangerouslyTrustWritableParents: true',
          ),
        );
        expect(fs.readdirSync(shared)).toEqual(['sessions']);
      });

      it('W21: is accepted on request', async () => {
        expect(await isAccepted(join(shared, 'sessions'), true)).toBe(true);
      });
    });

  it.each([
    { title: 'has the sticky bit, as /tmp has', mode: 0o1777 },
    { title: 'others can read', mode: 0o755 },
  ])('W21: accepts one that $title', async ({ mode }) => {
    expect(await isAccepted(join(folder('home', mode), 'sessions'))).toBe(true);
  });

  itUnless(
    needsRoot,
    'W21: accepts one of this user that only the group of the same number can write',
    async () => {
      const home = folder('home', 0o775, MALLORY);
      expect(await as(MALLORY, () => isAccepted(join(home, 'sessions')))).toBe(true);
    },
  );

  it('W21: does not follow links for ever', async () => {
    fs.symlinkSync(place.directory, place.directory);
    await expect(place.open()).rejects.toThrow();
  });
});

describeUnless(needsRoot, 'FileSessionStore below a folder of another user', () => {
  it.each(['755', '700', '1777', '555'])(
    'W21: is refused, with the folder and the way out: mode %s',
    async (mode) => {
      const home = folder('home', parseInt(mode, 8), MALLORY);
      await expect(isAccepted(join(home, 'sessions'))).rejects.toEqual(
        refusal(
          `below ${JSON.stringify(home)}`,
          'belongs to another user \\(4711, not 0\\)',
          'dangerouslyTrustWritableParents: true',
        ),
      );
      expect(fs.readdirSync(home)).toEqual([]);
    },
  );

  it('W21: is refused further up, and behind a link of our own', async () => {
    const home = folder('home', 0o755, MALLORY);
    fs.mkdirSync(join(home, 'ours'));
    const words = [`below ${JSON.stringify(home)}`, 'belongs to another user'];
    await expect(isAccepted(join(home, 'ours', 'sessions'))).rejects.toEqual(refusal(...words));
    const ours = link('home/ours', join(place.parent, 'link'));
    await expect(isAccepted(join(ours, 'sessions'))).rejects.toEqual(refusal(...words));
  });

  it('W21: is accepted on request', async () => {
    expect(await isAccepted(join(folder('home', 0o755, MALLORY), 'sessions'), true)).toBe(true);
  });

  it('W21: is refused when it belongs to nobody in a user namespace, and the message says so', async () => {
    const home = folder('home', 0o755, NOBODY);
    await expect(isAccepted(join(home, 'sessions'))).rejects.toEqual(
      refusal('belongs to another user', 'dangerouslyTrustWritableParents: true', 'user namespace 65534'),
    );
  });

  it('W21: is refused when that user made it after the first look', async () => {
    const tmp = folder('tmp', 0o1777);
    const mkdir = promises.mkdir;
    jest.spyOn(promises, 'mkdir').mockImplementationOnce((path, options) => {
      folder('tmp/app', 0o755, MALLORY);
      return mkdir(path, options);
    });
    await expect(isAccepted(join(tmp, 'app', 'sessions'))).rejects.toEqual(
      refusal(`below ${JSON.stringify(join(tmp, 'app'))}`, 'belongs to another user'),
    );
  });
});

describeUnless(needsRoot, 'FileSessionStore behind a symbolic link', () => {
  it.each([
    { way: 'on the way', rest: ['sessions'] },
    { way: 'to the directory itself', rest: [] },
  ])('W21: of another user is refused, also in a sticky folder: $way', async ({ rest }) => {
    const theirs = link(folder('safe', 0o700), join(folder('tmp', 0o1777), 'app'), MALLORY);
    await expect(isAccepted(join(theirs, ...rest))).rejects.toEqual(
      refusal(
        `by ${JSON.stringify(theirs)}`,
        'link of another user \\(4711, not 0\\)',
        'dangerouslyTrustWritableParents: true',
      ),
    );
  });

  it('W21: of another user is refused behind one of our own', async () => {
    const theirs = link(folder('safe', 0o700), join(folder('tmp', 0o1777), 'app'), MALLORY);
    const ours = link(theirs, join(place.parent, 'link'));
    await expect(isAccepted(join(ours, 'sessions'))).rejects.toEqual(
      refusal(`by ${JSON.stringify(theirs)}`, 'link of another user'),
    );
  });

  it('W21: of root is followed for another user, as /var is on macOS', async () => {
    const home = folder('home', 0o700, MALLORY);
    const roots = link(home, join(place.parent, 'link'));
    expect(await as(MALLORY, () => isAccepted(join(roots, 'sessions')))).toBe(true);
  });
});
