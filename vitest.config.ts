/**
 * Tests run from source; whole pipelines are real, so they may take a while. Those over emulators
 * of cloud services take longest: they are part of a run that requires them (REQUIRE_EMULATORS=1,
 * as CI does), else they are asked for by `npm run test:cloud`.
 */

import { configDefaults, defineConfig } from 'vitest/config'

const isWithCloud = process.env['REQUIRE_EMULATORS'] === '1'
if (!isWithCloud) console.log('skipped: the tests over emulators; npm run test:cloud runs them')

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(isWithCloud ? [] : ['test/cloud/**'])],
    setupFiles: ['test/support/properties.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
})
