// The bytes that the package adds to an app's bundle.

import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

/** The package's parts: what an app imports from them, and how many gzipped bytes they may add. */
export const PARTS = {
  core: { code: "export { VitrinaClient } from '@vitrina/client';", maxBytes: 6900 },
  'with requests': {
    code: "export { createHttp, VitrinaClient } from '@vitrina/client';",
    maxBytes: 8300,
  },
  'and a session': {
    code: "export { createHttp, Session, VitrinaClient } from '@vitrina/client';",
    maxBytes: 9750,
  },
  browser: { code: "export * from '@vitrina/client/browser';", maxBytes: 2650 },
  react: { code: "export * from '@vitrina/client/react';", maxBytes: 1000 },
  push: { code: "export * from '@vitrina/client/push';", maxBytes: 2900 },
  'react-native': { code: "export * from '@vitrina/client/react-native';", maxBytes: 1000 },
};

/** Returns how many bytes an app's code has with all that it imports: { minified, gzipped }. */
export async function measure(code, folder) {
  const contents = await bundle(code, folder);
  return { minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}

/** Returns an app's code with all that it imports, minified, for browsers. */
export async function bundle(code, folder = new URL('../', import.meta.url).pathname) {
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
  return outputFiles[0].contents;
}
