/** The tests that `npm run mutate` repeats for each mutant: quick ones, in memory. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: (process.env['MUTATE_TESTS'] ?? 'test/stages/*.test.ts').split(','),
    setupFiles: ['test/support/properties.ts'],
    testTimeout: 30_000,
  },
})
