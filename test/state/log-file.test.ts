/** The file of a state log returns its bytes, wherever they are read from. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { LogFile } from '../../pipeline/state/log-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

test('returns the bytes at any offset, in memory or not, and after a cut', () => {
  const path = join(dir, 'log')
  const step = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ bytes })),
    fc.nat(60).map((cut) => ({ cut })),
  )
  const read = fc.tuple(fc.nat(150), fc.nat(40))
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 8 }),
      fc.array(read, { minLength: 1, maxLength: 12 }),
      fc.constantFrom([16, 16], [32, 4], [1_024, 8], [1_024, 1_024]),
      (steps, reads, [tailBytes, atFirst]) => {
        const file = LogFile.make(path, tailBytes, atFirst)
        let expected = Buffer.alloc(0)
        for (const one of steps) {
          if ('bytes' in one) {
            file.append(Buffer.from(one.bytes))
            expected = Buffer.concat([expected, one.bytes])
          } else {
            file.cut(Math.min(one.cut, file.size))
            expected = expected.subarray(0, one.cut)
          }
          for (const [offset, length] of reads) {
            const bytes = file.read(Math.min(offset, file.size), length)
            const from = Math.min(offset, expected.length)
            expect(Buffer.from(bytes)).toEqual(expected.subarray(from, from + length))
          }
        }
        file.close()
      },
    ),
    { numRuns: 200 },
  )
})
