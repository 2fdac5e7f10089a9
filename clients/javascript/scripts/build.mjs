// Writes dist/: ES modules and CommonJS with their types, by tsc: node scripts/build.mjs

import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const ROOT = new URL('../', import.meta.url);
const run = promisify(execFile);

const compile = (config) =>
  run(process.execPath, ['node_modules/typescript/bin/tsc', '--project', config], { cwd: ROOT });

await rm(new URL('dist', ROOT), { recursive: true, force: true });
await Promise.all(['tsconfig.esm.json', 'tsconfig.cjs.json'].map(compile));
// The package's type is `module`; these files are not.
await writeFile(new URL('dist/cjs/package.json', ROOT), '{ "type": "commonjs" }\n');
