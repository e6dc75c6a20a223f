// Preloaded into a process that measures another build: `nestjs-tessera` resolves to that build, and its dependencies to ours.
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const theirs = pathToFileURL(join(process.env.BENCH_BUILD, 'package.json')).href;
const ours = import.meta.url;

registerHooks({
  resolve(specifier, context, next) {
    if (/^nestjs-tessera(\/|$)/.test(specifier)) return next(specifier, { ...context, parentURL: theirs });
    const isTheirs = context.parentURL?.startsWith(new URL('dist/', theirs).href);
    const isPackage = isTheirs && /^[^./]/.test(specifier);
    return next(specifier, isPackage ? { ...context, parentURL: ours } : context);
  },
});
