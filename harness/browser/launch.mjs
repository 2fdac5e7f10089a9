// Starts the browser of this package, which is Chromium for Linux on x86_64, or one that is installed.

import { existsSync } from 'node:fs';

import chromium from '@sparticuz/chromium';
import { chromium as browsers } from 'playwright-core';

const INSTALLED = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export const NO_BROWSER =
  'There is no browser: this package has one for Linux on x86_64, and no Chromium or Chrome is ' +
  'installed where it usually is. CHROMIUM=/path/to/chromium names one.';

/** Returns the path of a browser, or nothing if there is none. */
export async function find() {
  const named = INSTALLED.find((path) => path && existsSync(path));
  if (process.env.CHROMIUM || process.platform !== 'linux' || process.arch !== 'x64') return named;
  return chromium.executablePath();
}

/** Returns a browser that sends no requests of its own. Throws if there is none. */
export async function launch() {
  const executablePath = await find();
  if (!executablePath) throw new Error(NO_BROWSER);
  return browsers.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'],
  });
}

if (process.argv[1] === import.meta.filename) console.log((await find()) ? '' : NO_BROWSER);
