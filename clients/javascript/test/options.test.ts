/** Wrong options, which are reported at construction, in a sentence. */

import { describe, expect, test } from 'vitest';
import { VitrinaClient } from '../src/client.js';
import { origin } from '../src/origin.js';
import { memory } from './app.js';

const platform = {
  openSocket: () => {
    throw new Error('not in these tests');
  },
  fetch: () => Promise.reject(new Error('not in these tests')),
};
const options = {
  url: 'https://example.com',
  as: 'user',
  tokens: { get: () => Promise.resolve(null) },
  platform,
} as const;

const make = (wrong: object) => () => new VitrinaClient({ ...options, ...wrong });

test('valid options make a client that is not started', () => {
  const client = make({ times: { stableMs: 5 }, platform: { ...platform, store: memory() } })();
  expect(client.status).toEqual({ state: 'stopped', reason: 'not_started' });
});

test.each([
  [{ url: undefined }, /^`url` has to be the URL/],
  [{ url: 'example.com' }, /^`url`/],
  [{ url: 'wss://example.com' }, /^`url`/],
  [{ url: 'https://example.com/ws' }, /^`url`.*without a path/],
  [{ as: 'moderator' }, /^`as` has to be 'user', 'shop' or 'admin'/],
  [{ as: undefined }, /^`as`/],
  [{ tokens: undefined }, /^`tokens` has to have get, as a Session has/],
  [{ tokens: {} }, /^`tokens`/],
  [{ platform: undefined }, /^`platform`.*browser\(\), reactNative\(\) and node\(\)/],
  [{ platform: { ...platform, fetch: undefined } }, /^`platform`/],
  [{ platform: { ...platform, openSocket: undefined } }, /^`platform`/],
  [{ platform: { ...platform, store: {} } }, /^`platform.store` has to have getItem/],
  [{ times: { stableMs: -1 } }, /^`times.stableMs`/],
  [{ times: { stableMs: '5' } }, /^`times.stableMs`/],
  [{ times: { stableMs: NaN } }, /^`times.stableMs`/],
  [{ times: { stableSeconds: 5 } }, /^`times.stableSeconds`/],
])('%j', (wrong, sentence) => {
  expect(make(wrong)).toThrow(sentence);
});

describe('origins', () => {
  test.each([
    ['https://example.com', 'https://example.com'],
    ['https://example.com/', 'https://example.com'],
    ['HTTPS://Example.COM:443', 'https://example.com'],
    ['http://localhost:80/', 'http://localhost'],
    ['http://localhost:8000', 'http://localhost:8000'],
    ['https://example.com:80', 'https://example.com:80'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
    ['http://10.0.2.2:8000', 'http://10.0.2.2:8000'],
  ])('%s is %s', (url, expected) => {
    expect(origin(url)).toBe(expected);
    expect(origin(url)).toBe(new URL(url).origin);
  });

  test.each([
    '',
    'https://',
    'https://user:password@example.com',
    'https://example.com?token=1',
    'https://example.com#here',
    'https://example.com:port',
    'https://exa mple.com',
    'ftp://example.com',
    'javascript:alert(1)',
    null,
    7,
    new URL('https://example.com'),
  ])('%s is invalid', (url) => {
    expect(() => origin(url)).toThrow(/^`url` has to be/);
  });
});
