// Writes src/api.ts from openapi.json and src/events.ts from asyncapi.json: node scripts/types.mjs

import { readFile, writeFile } from 'node:fs/promises';

import openapiTS, { astToString } from 'openapi-typescript';
import { format, resolveConfig } from 'prettier';

const ROOT = new URL('../', import.meta.url);
const SERVED = new URL('../../functions/openapi/', ROOT);

/** Returns the text of each generated file by its name in src/. */
export async function generate() {
  return {
    'api.ts': await written('openapi.json', api),
    'events.ts': await written('asyncapi.json', events),
  };
}

async function written(source, write) {
  const document = JSON.parse(await readFile(new URL(source, SERVED), 'utf8'));
  const header = `// Generated from functions/openapi/${source} by \`npm run types\`.\n\n`;
  const style = await resolveConfig(new URL('package.json', ROOT));
  return format(header + (await write(document)), { ...style, parser: 'typescript' });
}

// A default is what the server takes for a field that a request leaves out.
const declared = async (document) =>
  astToString(await openapiTS(document, { defaultNonNullable: false }));

async function api(document) {
  return `${await declared(document)}
/** Who has logged in. */
export type Account = components['schemas']['Profile'];
`;
}

async function events({ components }) {
  const published = Object.entries(components.messages).filter(([, found]) => found['x-channels']);
  const schemas = await declared({
    openapi: '3.1.0',
    info: { title: 'Events', version: '1' },
    paths: {},
    components: { schemas: components.schemas },
  });
  const [found] = schemas.match(/export interface components \{[^]*?\n\}\n/);
  const named = published.map(([name, { summary, payload }]) => {
    const schema = payload.$ref.split('/').at(-1);
    return `/** ${summary} */\n'${name}': components['schemas']['${schema}'];`;
  });
  return `export type { Account } from './api.js';

/** The client type of a token, and the channel of everyone who has it. */
export type ClientType = components['schemas']['ClientType'];

/** Every published event by its name. */
export interface Events {
${named.join('\n')}
}

export type EventName = keyof Events;

/** Frames and their data, as asyncapi.json describes them. */
${found}`;
}

if (import.meta.url === `file://${process.argv[1]}`) {
  for (const [name, text] of Object.entries(await generate())) {
    await writeFile(new URL(`src/${name}`, ROOT), text);
  }
}
