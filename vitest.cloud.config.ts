/** What needs emulators of cloud services; each test starts and stops its own. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/cloud/**/*.test.ts'],
    setupFiles: ['test/support/properties.ts'],
    env: { XDG_CACHE_HOME: join(tmpdir(), 'desire-path-cache') },
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
  },
})
