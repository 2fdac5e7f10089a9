import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^@vitrina\/client$/,
        replacement: new URL('src/index.ts', import.meta.url).pathname,
      },
      {
        find: /^@vitrina\/client\/(.*)$/,
        replacement: new URL('src/$1.ts', import.meta.url).pathname,
      },
    ],
  },
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // A third of the time: no test leaves anything behind.
    isolate: false,
    pool: 'threads',
    restoreMocks: true,
    unstubGlobals: true,
  },
});
