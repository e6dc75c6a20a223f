// Lets a process of its own run the sources as they are, compiled as Jest compiles them.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join, resolve } = require('node:path');
const { transformSync } = require('@swc/core');
const { moduleNameMapper, transform } = require('../../../jest.config.js');

const root = resolve(__dirname, '../../..');
const [, options] = Object.values(transform)[0];
const names = Object.entries(moduleNameMapper).map(([name, file]) => [new RegExp(name), file]);

// Leaves import() to Node, as the compiler of the package does.
const moduleOptions = { ...options.module, ignoreDynamic: true };

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    ...options,
    module: moduleOptions,
    filename,
  });
  module._compile(code, filename);
};

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  const mapped = names.find(([name]) => name.test(request));
  return resolveFilename.call(
    this,
    mapped === undefined ? request : join(root, request.replace(...mapped).replace('<rootDir>', '.')),
    ...rest,
  );
};
