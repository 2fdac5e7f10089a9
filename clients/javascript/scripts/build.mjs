// Writes dist/: ES modules and their types by tsc, CommonJS by esbuild: node scripts/build.mjs

import { execFile } from 'node:child_process';
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { build } from 'esbuild';

const ROOT = new URL('../', import.meta.url).pathname;
const run = promisify(execFile);

const toModules = () =>
  run(process.execPath, ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json'], {
    cwd: ROOT,
  });

async function toCommonJs() {
  const names = await readdir(`${ROOT}src`, { recursive: true });
  const entryPoints = names.filter((name) => /\.tsx?$/.test(name)).map((name) => `src/${name}`);
  await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: 'dist/cjs',
    outbase: 'src',
    format: 'cjs',
    target: 'es2022',
    platform: 'node',
    sourcemap: true,
  });
  // The package's type is `module`; these files are not.
  await writeFile(`${ROOT}dist/cjs/package.json`, '{ "type": "commonjs" }\n');
}

await rm(`${ROOT}dist`, { recursive: true, force: true });
await Promise.all([toModules(), toCommonJs()]);
// The types are the same text, read as those of CommonJS there.
await cp(`${ROOT}dist/esm`, `${ROOT}dist/cjs`, {
  recursive: true,
  filter: (path) => !/\.js(\.map)?$/.test(path),
});
