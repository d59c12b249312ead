/**
 * Tests run from source, on real pipelines and warehouses. Tests over emulators of cloud services
 * take longest: they run with REQUIRE_EMULATORS=1, as in CI, or by `npm run test:cloud`. Kills of
 * whole commands, full disks and long pages run with LONG_TESTS=1, as in CI.
 */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'
import { isLong } from './test/support/long.ts'

const isWithCloud = process.env['REQUIRE_EMULATORS'] === '1'
if (!isWithCloud) console.log('skipped: the tests over emulators; npm run test:cloud runs them')
if (!isLong) console.log('skipped: tests of minutes; LONG_TESTS=1 npm test runs them')

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(isWithCloud ? [] : ['test/cloud/**'])],
    setupFiles: ['test/support/properties.ts'],
    env: { XDG_CACHE_HOME: join(tmpdir(), 'desire-path-cache') },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
})
