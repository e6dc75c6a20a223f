import { compileFunction } from 'node:vm';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import ts from 'typescript';
import type { Markdown } from './markdown';

/** Nest's names, as context.ts declares them. A snippet imports those of the library. */
const { Session: _, ...nest } = common;
const { APP_GUARD, NestFactory, Reflector } = core;

/**
 * Runs a guide's snippet that contains a text, as its reader would have it in a file, and returns what it exports.
 * @param application what context.ts declares of the reader's application, and the snippet uses
 */
export function exportsOf<T>(guide: Markdown, text: string, application: Record<string, unknown>): T {
  const { code } = guide.snippets('ts').find((snippet) => snippet.code.includes(text))!;
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  const exported = {};
  // The function is compiled outside of Jest's world, whose Reflect has the metadata, and whose clock a test may set.
  const world = { Date, Reflect, require, exports: exported };
  const around = { ...nest, APP_GUARD, NestFactory, Reflector, ...application, ...world };
  const run = compileFunction(outputText, Object.keys(around)) as (...all: unknown[]) => void;
  run(...Object.values(around));
  return exported as T;
}
