// The findings of other projects' linters and TypeScript generator in both descriptions, as a JSON
// array of lines: node check.mjs OPENAPI ASYNCAPI FOLDER. One process, as they are slow to load.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { createConfig, lint } from '@redocly/openapi-core';
import core from '@stoplight/spectral-core';
import parsers from '@stoplight/spectral-parsers';
import rulesets from '@stoplight/spectral-rulesets';
import generate, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const [openapi, asyncapi, folder] = process.argv.slice(2);
const WARNING = 1; // of Spectral; less is an error, more a hint

async function byRedocly(path) {
  const config = await createConfig({ extends: ['recommended'] });
  const found = await lint({ ref: path, config });
  return found.map((each) => `redocly ${each.ruleId}: ${each.message} ${each.location[0].pointer}`);
}

async function bySpectral(path, ruleset) {
  const spectral = new core.Spectral();
  spectral.setRuleset({ extends: [[ruleset, 'recommended']] });
  const found = await spectral.run(new core.Document(await readFile(path, 'utf8'), parsers.Json, path));
  return found
    .filter((each) => each.severity <= WARNING)
    .map((each) => `spectral ${each.code}: ${each.message} ${each.path.join('/')}`);
}

async function byTypeScript(path) {
  await writeFile(join(folder, 'api.ts'), astToString(await generate(pathToFileURL(path))));
  const options = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
  };
  const program = ts.createProgram([join(folder, 'usage.ts')], options);
  return ts
    .getPreEmitDiagnostics(program)
    .map((each) => `tsc ${ts.flattenDiagnosticMessageText(each.messageText, ' ')}`);
}

const found = await Promise.all([
  byRedocly(openapi),
  byRedocly(asyncapi),
  bySpectral(openapi, rulesets.oas),
  bySpectral(asyncapi, rulesets.asyncapi),
  byTypeScript(openapi),
]);
console.log(JSON.stringify(found.flat()));
