module.exports = {
  preset: 'jest-expo',
  clearMocks: true,
  // The first test waits until everything is compiled.
  testTimeout: 120_000,
  testMatch: ['<rootDir>/test/**/*.test.tsx'],
};
