/**
 * Lets plain Node run our TypeScript without a build: for the processes around the tests, which jest does not compile.
 * Use: `node --import ./libs/testing/typescript-loader.mjs FILE.ts`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import ts from 'typescript';

const { compilerOptions } = ts.readConfigFile(new URL('../../tsconfig.json', import.meta.url).pathname, (file) =>
  readFileSync(file, 'utf8'),
).config;
const { options } = ts.convertCompilerOptionsFromJson(
  { ...compilerOptions, module: 'esnext', moduleResolution: 'bundler', sourceMap: false, inlineSourceMap: true },
  '.',
);

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, next) {
  if (specifier.startsWith('#')) {
    return next(specifier, { ...context, conditions: ['goldleaf-source', ...context.conditions] });
  }
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts')) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source)) return next(source.href, context);
  }
  return next(specifier, context);
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const fileName = fileURLToPath(url);
  const { outputText } = ts.transpileModule(readFileSync(fileName, 'utf8'), { compilerOptions: options, fileName });
  return { format: 'module', source: outputText, shortCircuit: true };
}

// The same file is the entry (main thread) and the hooks themselves (Node's loader thread).
if (isMainThread) register(import.meta.url);
