/** Tests run from source; whole pipelines are real, so they may take a while. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 120_000, maxWorkers: 2 },
})
