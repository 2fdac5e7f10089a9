// What an app's bundle grows by: node scripts/sizes.mjs [PACKAGE FOLDER]…

import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

/** Names of the package's parts, and what an app imports of them. */
export const PARTS = {
  core: "export { VitrinaClient } from '@vitrina/client';",
  'core and session': "export { Session, VitrinaClient } from '@vitrina/client';",
  browser: "export * from '@vitrina/client/browser';",
  react: "export * from '@vitrina/client/react';",
  'react-native': "export * from '@vitrina/client/react-native';",
};

/** Returns the bytes of an app's code with all that it imports, minified: { minified, gzipped }. */
export async function measure(code, folder = new URL('../', import.meta.url).pathname) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['react', 'react/jsx-runtime'],
    write: false,
    logLevel: 'error',
  });
  const [{ contents }] = outputFiles;
  return { minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}

if (import.meta.url === `file://${process.argv[1]}`) {
  for (const [name, code] of Object.entries(PARTS)) {
    const { minified, gzipped } = await measure(code);
    console.log(`${name.padEnd(18)}${minified} bytes minified, ${gzipped} gzipped`);
  }
}
