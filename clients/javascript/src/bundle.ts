/** What pages without a bundler import from `/client/vitrina.js`. */

export * from './browser.js';
export * from './index.js';
