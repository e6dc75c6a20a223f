import type { UnitOfWork } from './unit-of-work';
import { SessionInstances } from './session-instance';
import { SessionScope } from './session-scope';

it('a scope tells its door once that it begins, and names each header for Vary once', () => {
  const begun: boolean[] = [];
  const unit: UnitOfWork = {
    request: { headers: {} },
    connection: { secure: true, host: undefined },
    isOver: false,
    begin: (isFirst) => begun.push(isFirst) === 0,
    translate: (failure) => failure,
  };
  const scope = new SessionScope(new SessionInstances(), unit, {});
  const before = [...scope.vary];
  scope.dependOn(['Origin']);
  scope.dependOn(['Origin', 'Cookie']);
  expect({ before, begun, vary: [...scope.vary] }).toEqual({
    before: [],
    begun: [true, false],
    vary: ['Origin', 'Cookie'],
  });
});
