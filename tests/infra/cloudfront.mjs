// Runs a viewer-request function as CloudFront does: nothing but the language is there to use.
//
//   node cloudfront.mjs FUNCTION
//
// Reads a list of events, and writes the list of what the function returned.

import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';

const events = readFileSync(0, 'utf8');
const context = createContext({ events });
runInContext(`'use strict';${readFileSync(process.argv[2], 'utf8')}`, context);
process.stdout.write(runInContext('JSON.stringify(JSON.parse(events).map(handler))', context));
