/** Rule by which a run is a bulk load. */

import { expect, test } from 'vitest'
import { bulkReason } from '../../pipeline/run-bulk.ts'
import type { RunOptions } from '../../pipeline/run.ts'

const MIB = 1 << 20

test.each([
  ['an input of unknown size', undefined, 0, false],
  ['a small input', 16 * MIB - 1, 0, false],
  ['16 MiB', 16 * MIB, 0, true],
  ['1 GiB', 1_024 * MIB, 0, true],
  ['an input that needs too much memory', 1_024 * MIB + 1, 0, false],
  ['more events than the warehouse', 16 * MIB, 32 * 1_024 - 1, true],
  ['as many events as the warehouse', 16 * MIB, 32 * 1_024, false],
  ['an engine that cannot load', 16 * MIB, null, false],
])('%s', async (_what, bytes, stored, isBulk) => {
  const pipeline = { canLoad: stored !== null, storedEvents: () => Promise.resolve(stored) }
  const options = { pipeline, source: { bytes } } as unknown as RunOptions
  expect((await bulkReason(options)) !== null).toBe(isBulk)
})
