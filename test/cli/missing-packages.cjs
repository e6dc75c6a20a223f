// Makes packages that are named in MISSING look as if they were not installed.
const Module = require('node:module');

const missing = process.env.MISSING.split(',');
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (!missing.includes(request)) return resolveFilename.call(this, request, ...rest);
  throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
};
