// Plays random inputs for longer than the tests do: node scripts/fuzz.mjs [--minutes N] [--seed N]

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' } },
});
const env = {
  ...process.env,
  ...(values.seed ? { FUZZ_SEED: values.seed } : { FUZZ_MINUTES: values.minutes ?? '10' }),
};
const vitest = new URL('../node_modules/vitest/vitest.mjs', import.meta.url).pathname;
const cwd = new URL('../', import.meta.url).pathname;
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/fuzz.test.ts'], {
  cwd,
  env,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
