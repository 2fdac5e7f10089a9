// Checks that generated types are fresh, and dist/ as it would be published: node scripts/check.mjs

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

import { measure, PARTS } from './sizes.mjs';
import { generate } from './types.mjs';

const ROOT = new URL('../', import.meta.url).pathname;
const run = promisify(execFile);

async function packed() {
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-client-'));
  try {
    const args = ['pack', '--silent', '--pack-destination', folder];
    // npm passes its own path when it runs this script.
    const npm = process.env.npm_execpath;
    const { stdout } = npm
      ? await run(process.execPath, [npm, ...args], { cwd: ROOT })
      : await run('npm', args, { cwd: ROOT });
    return await readFile(join(folder, stdout.trim()));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function byFreshness() {
  const texts = Object.entries(await generate());
  const written = await Promise.all(
    texts.map(([name]) => readFile(join(ROOT, 'src', name), 'utf8')),
  );
  return texts
    .filter(([, text], index) => text !== written[index])
    .map(([name]) => `src/${name} is not fresh: run \`make reference\``);
}

async function byPublint(tarball) {
  const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer } });
  return messages.map((message) => `publint: ${formatMessage(message, pkg)}`);
}

async function byTypes(tarball) {
  const { problems } = await checkPackage(createPackageFromTarballData(tarball));
  return (
    problems
      // Node 10 does not support `exports`; Node 20 is the oldest supported version.
      .filter(({ resolutionKind }) => resolutionKind !== 'node10')
      .map((problem) => `are the types wrong: ${JSON.stringify(problem)}`)
  );
}

async function bySize() {
  const found = [];
  for (const [name, { code, maxBytes }] of Object.entries(PARTS)) {
    const { minified, gzipped } = await measure(code);
    console.log(`${name.padEnd(18)}${minified} bytes minified, ${gzipped} gzipped`);
    if (gzipped > maxBytes) found.push(`${name}: ${gzipped} bytes gzipped, more than ${maxBytes}`);
  }
  return found;
}

const tarball = new Uint8Array(await packed());
const found = (
  await Promise.all([byFreshness(), byPublint(tarball), byTypes(tarball), bySize()])
).flat();
for (const each of found) console.error(each);
process.exitCode = found.length ? 1 : 0;
