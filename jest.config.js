// One preset, three suites: unit (no I/O), int (real servers), e2e (real machines and Chromium).
const preset = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.tsx?$': ['ts-jest', { useESM: true, tsconfig: 'tsconfig.json', diagnostics: false }] },
  moduleNameMapper: {
    '^#libs/(.*)$': '<rootDir>/libs/$1/src/index.ts',
    '^#services/(.*)$': '<rootDir>/services/$1/src/index.ts',
    '^#migrations$': '<rootDir>/migrations/data-source.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.goldleaf'],
};

const suite = (displayName, ending, extra = {}) => ({
  ...preset,
  displayName,
  testMatch: [`<rootDir>/{libs,services,migrations,test,infra}/**/*.${ending}.ts`],
  ...extra,
});

// PostgreSQL, Redis and guacd, once for a whole run.
const servers = {
  globalSetup: '<rootDir>/libs/testing/jest-global-setup.mjs',
  globalTeardown: '<rootDir>/libs/testing/jest-global-teardown.mjs',
};

// Jest takes `testTimeout` from the command line or the root only, not from a project.
const limit = (testTimeoutMs) => ({
  globals: { testTimeoutMs },
  setupFilesAfterEnv: ['<rootDir>/libs/testing/jest-time-limit.mjs'],
});

export default {
  reporters: ['default', '<rootDir>/libs/testing/jest-watchdog.mjs'],
  projects: [
    suite('unit', 'spec'),
    suite('int', 'int-spec', { ...servers, ...limit(60_000) }),
    suite('e2e', 'e2e-spec', { ...servers, ...limit(300_000) }),
  ],
};
