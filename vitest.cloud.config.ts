/** What needs emulators of cloud services; each test starts and stops its own. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/cloud/**/*.test.ts'],
    setupFiles: ['test/support/properties.ts'],
    testTimeout: 180_000,
    maxWorkers: 2,
  },
})
