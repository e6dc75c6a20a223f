/** Wraps an object and reports each call and its return value. */
export function observeCalls<T extends object>(
  object: T,
  hear: (method: string, answer: unknown) => void,
): T {
  return new Proxy(object, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...all: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, target, all);
        hear(String(name), answer);
        return answer;
      };
    },
  });
}
