/**
 * Makes an assignment such as `session.cart = …` an error, in sloppy mode too: the value would be lost. Methods and accessors of the
 * prototype are found first, so they stay as they are. `then` is defined, because each `await` looks for it, and a proxy is slow.
 */
export function refuseAssignments(prototype: object): void {
  const refusing = new Proxy(Object.create(Object.prototype) as object, {
    set(_target, key) {
      const name = String(key);
      throw new TypeError(`session.${name} cannot be assigned; use session.set('${name}', value)`);
    },
  });
  Object.setPrototypeOf(prototype, Object.create(refusing, { then: { value: undefined } }) as object);
}
