import { Session } from './session.decorator';

class Preferences {}

class Controller {
  whole(@Session() _session: Session): void {}
  key(@Session('preferences' as never) _preferences: Preferences): void {}
}

it('W31: the whole session has the type of a plain object, and one value keeps its own', () => {
  const typesOf = (method: string): unknown =>
    Reflect.getMetadata('design:paramtypes', Controller.prototype, method);
  expect({ whole: typesOf('whole'), key: typesOf('key') }).toEqual({ whole: [Object], key: [Preferences] });
});
