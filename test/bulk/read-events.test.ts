/** Events that a load has read, in memory and in the temporary file. */

import { expect, test } from 'vitest'
import { hashes64 } from '../../pipeline/base/hash.ts'
import { ReadEvents } from '../../pipeline/bulk/read-events.ts'

test('finds the events that were added, however few fit in memory', () => {
  const ids = Array.from({ length: 20_000 }, (_, row) => `event-${row}`)
  const [hashes, fingerprints] = [hashes64(ids), hashes64(ids.map((id) => `content of ${id}`))]
  for (const eventsMax of [750, 3_000, 100_000]) {
    const events = new ReadEvents(eventsMax)
    for (let from = 0; from < ids.length; from += 50) {
      const even = Array.from({ length: 25 }, (_, i) => from + 2 * i)
      events.add(hashes, fingerprints, even)
    }
    const found = events.fingerprints(hashes)
    expect(found.size).toBe(10_000)
    for (let row = 0; row < ids.length; row += 2) {
      expect(found.get(hashes[row] as bigint)).toBe(fingerprints[row])
    }
    events.close()
  }
})
