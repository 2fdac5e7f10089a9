// Runs a viewer-request function like CloudFront: with the language only, without any API.
//
//   node cloudfront.mjs FUNCTION
// Reads a list of events, and writes the list of the function's results.

import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';

const events = readFileSync(0, 'utf8');
const context = createContext({ events });
runInContext(`'use strict';${readFileSync(process.argv[2], 'utf8')}`, context);
process.stdout.write(runInContext('JSON.stringify(JSON.parse(events).map(handler))', context));
