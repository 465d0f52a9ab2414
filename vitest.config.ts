import { defineConfig } from 'vitest/config';

// Unit tests run side by side; tests with containers take the two cores one file at a time.
export default defineConfig({
  test: {
    globalSetup: ['test/harness/folder.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'containers',
          include: ['test/integration/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          // After the unit tests: what those have in the temporary folder would count as left behind.
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
