/** Rule by which a run is a bulk load. */

import { expect, test } from 'vitest'
import { BULK_BYTES_MAX, bulkDecision } from '../../pipeline/run-bulk.ts'
import type { RunOptions } from '../../pipeline/run.ts'

const MIB = 1 << 20

test.each([
  ['an input of unknown size', undefined, 0, false, null],
  ['a small input', 16 * MIB - 1, 0, false, null],
  ['16 MiB', 16 * MIB, 0, true, 'bulk load: t'],
  ['the largest input', BULK_BYTES_MAX, 0, true, 'bulk load: t'],
  ['an input that is not measured', BULK_BYTES_MAX + 1, 0, false, 'no bulk load'],
  ['a large input into a larger warehouse', BULK_BYTES_MAX + 1, 1e9, false, null],
  ['more events than the warehouse', 16 * MIB, 32 * 1_024 - 1, true, 'bulk load: t'],
  ['as many events as the warehouse', 16 * MIB, 32 * 1_024, false, null],
  ['an engine that cannot load', 16 * MIB, null, false, null],
])('%s', async (_what, bytes, stored, isBulk, why) => {
  const pipeline = { canLoad: stored !== null, storedEvents: () => Promise.resolve(stored) }
  const options = { pipeline, source: { bytes } } as unknown as RunOptions
  const decision = await bulkDecision(options)
  expect([decision.isBulk, decision.why?.slice(0, 12) ?? null]).toEqual([isBulk, why])
})
