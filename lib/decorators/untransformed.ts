/**
 * Returns the decorator in a form after which pipes such as `ValidationPipe` take its parameter for a plain object, which they leave alone.
 * SWC emits as the parameter's type what its name means at run time, which for `session: Session` is the decorator itself. The compilers
 * define the types of a method before they call the decorators of its parameters.
 */
export function untransformed(decorator: ParameterDecorator): ParameterDecorator {
  return (target, key, index) => {
    decorator(target, key, index);
    if (key === undefined) return;
    const types = Reflect.getOwnMetadata('design:paramtypes', target, key) as unknown[] | undefined;
    if (types !== undefined)
      Reflect.defineMetadata('design:paramtypes', types.with(index, Object), target, key);
  };
}
