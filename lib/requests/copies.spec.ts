import { dirname } from 'node:path';
import { aboutCopies } from './copies';
import { SessionInstances } from './session-instance';

it('W6: one copy of the package needs no mention', () => {
  expect(aboutCopies()).toBe('');
});

it('W6: the error of a copy that has no sessions says where the other one is', () => {
  let other!: typeof import('./session-instance');
  const here = dirname(__dirname);
  jest.isolateModules(() => {
    jest.doMock('node:path', () => ({ dirname: () => '/workspace/node_modules/nestjs-tessera/dist' }));
    other = jest.requireActual<typeof import('./session-instance')>('./session-instance');
  });
  const instances = (): unknown => other.SessionInstances.of({}).get('default');
  expect(instances).toThrow(`2 copies of nestjs-tessera are loaded`);
  expect(instances).toThrow(`${here}, /workspace/node_modules/nestjs-tessera/dist. Make the package manager`);
  expect(() => SessionInstances.of({}).get('default')).toThrow(/2 copies/);
});
