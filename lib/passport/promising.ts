import type { Method, PassportRequest } from './passport-instance';

/** Methods that return a promise already: several strategies may see one request. */
const made = new WeakSet<Method>();

/** Lets `req.logIn` and `req.logOut` return a promise when they get no callback. Passport itself throws then. */
export function promising(request: PassportRequest): void {
  request.login = request.logIn = promisingMethod(request.logIn!);
  request.logout = request.logOut = promisingMethod(request.logOut!);
}

function promisingMethod(method: Method): Method {
  if (made.has(method)) return method;
  const promised: Method = function (this: unknown, ...args) {
    if (typeof args.at(-1) === 'function') return method.apply(this, args);
    return new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null): void => (error ? reject(error) : resolve());
      method.call(this, ...args, done);
    });
  };
  made.add(promised);
  return promised;
}
