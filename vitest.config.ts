/**
 * Tests run from source, on real pipelines and warehouses. Tests over emulators of cloud services
 * take longest: they run with REQUIRE_EMULATORS=1, as in CI, or by `npm run test:cloud`. Kills of
 * whole commands, full disks and long pages run with LONG_TESTS=1, as in CI.
 *
 * Test files share processes, so that modules are loaded, and warehouses, commands and servers
 * started, once and not once per file. Files of `ALONE` run in a process of their own.
 */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'
import { isLong } from './test/support/long.ts'

const isWithCloud = process.env['REQUIRE_EMULATORS'] === '1'
if (!isWithCloud) console.log('skipped: the tests over emulators; npm run test:cloud runs them')
if (!isLong) console.log('skipped: tests of minutes; LONG_TESTS=1 npm test runs them')

/** Tests that set variables of their process, or measure its CPU time or memory. */
const ALONE = [
  'test/decode/redact.test.ts',
  'test/decode/unpack-messages.test.ts',
  'test/io/pubsub-source.test.ts',
  'test/operations/hostile-lines.test.ts',
  'test/system/functions.test.ts',
  'test/system/functions-answer.test.ts',
  ...(isWithCloud ? ['test/cloud/*.test.ts'] : []),
]

export default defineConfig({
  test: {
    setupFiles: ['test/support/properties.ts'],
    env: { XDG_CACHE_HOME: join(tmpdir(), 'desire-path-cache') },
    // Limits end tests that hang; a busy machine may take ten times as long as an idle one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/cloud/**', ...ALONE],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
  },
})
