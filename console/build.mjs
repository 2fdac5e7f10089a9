// Writes the page to build/console: index.html, and files whose names change with their content.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const OUTPUT = new URL('../build/console/', import.meta.url);
const MAX_GZIPPED_BYTES = 60 * 1024;

await rm(OUTPUT, { recursive: true, force: true });
await mkdir(OUTPUT, { recursive: true });
const { metafile } = await build({
  entryPoints: ['src/main.tsx', 'src/style/main.css', 'src/icon.svg'],
  absWorkingDir: import.meta.dirname,
  outdir: new URL('assets/', OUTPUT).pathname,
  entryNames: '[name]-[hash]',
  loader: { '.svg': 'copy' },
  bundle: true,
  minify: true,
  format: 'esm',
  charset: 'utf8',
  target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
  metafile: true,
});

// esbuild names files by their content; the page is written with plain names.
const files = Object.keys(metafile.outputs).map((path) => basename(path));
let page = await readFile(new URL('index.html', import.meta.url), 'utf8');
for (const file of files) {
  page = page.replace(`assets/${file.replace(/-[0-9A-Z]{8}\./, '.')}`, `assets/${file}`);
}
await writeFile(new URL('index.html', OUTPUT), page);

let gzipped = gzipSync(page).length;
for (const file of files) {
  gzipped += gzipSync(await readFile(new URL(`assets/${file}`, OUTPUT)), { level: 9 }).length;
}
console.log(`  build/console: ${files.join(', ')}; ${(gzipped / 1024).toFixed(1)} KB gzipped`);
if (gzipped > MAX_GZIPPED_BYTES) throw new Error(`More than ${MAX_GZIPPED_BYTES} bytes gzipped`);
