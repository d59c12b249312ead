/** Rule by which a run is a bulk load. */

import { expect, test } from 'vitest'
import { bulkReason } from '../../pipeline/run-bulk.ts'
import type { RunOptions } from '../../pipeline/run.ts'

const MIB = 1 << 20

test.each([
  ['an input of unknown size', undefined, true, false],
  ['a small input', 16 * MIB - 1, true, false],
  ['16 MiB', 16 * MIB, true, true],
  ['1 GiB', 1_024 * MIB, true, true],
  ['an input that needs too much memory', 1_024 * MIB + 1, true, false],
  ['a warehouse that is not empty', 16 * MIB, false, false],
])('%s', (_what, bytes, canLoad, isBulk) => {
  const options = { pipeline: { canLoad }, source: { bytes } } as unknown as RunOptions
  expect(bulkReason(options) !== null).toBe(isBulk)
})
