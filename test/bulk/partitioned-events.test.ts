/** Events by partition, in memory and in the temporary file. */

import { expect, test } from 'vitest'
import { Components, OVERSIZED } from '../../pipeline/bulk/components.ts'
import { PartitionedEvents } from '../../pipeline/bulk/partitioned-events.ts'

const eventOf = (number: number) => ({
  eventId: `e${number}`,
  name: number % 2 === 0 ? 'Even' : 'Odd',
  source: 'web',
  occurredAt: number,
  ordinal: 0,
  identifiers: [undefined, `anonymous_id:a${number % 5}`],
  operands: [number % 3 === 0 ? undefined : { value: number }],
  corrections: number === 7 ? [{ kind: 'alias' as const, a: 'user_id:x', b: 'user_id:y' }] : [],
})

test('partitions return the events that were added, however few fit in memory', () => {
  const shape = { partitions: 3, namespaces: 2, operands: 1 }
  for (const inMemoryMax of [1, 4, 100]) {
    const events = new PartitionedEvents(shape, inMemoryMax)
    for (let number = 0; number < 20; number++) events.add(number % 2, eventOf(number))
    const pieces = events.take(1)
    const found = pieces.flatMap((piece) =>
      piece.eventId.map((eventId, row) => ({
        eventId,
        name: piece.name.values[piece.name.codes[row] as number],
        device: piece.identifiers[1]?.values[piece.identifiers[1].codes[row] as number],
        person: piece.identifiers[0]?.codes[row],
        operand: piece.operands[0]?.[row],
        corrections: piece.corrections.filter((correction) => correction.row === row),
      })),
    )
    expect(found).toEqual(
      [1, 3, 5, 7, 9, 11, 13, 15, 17, 19].map((number) => ({
        eventId: `e${number}`,
        name: 'Odd',
        device: `anonymous_id:a${number % 5}`,
        person: -1,
        operand: number % 3 === 0 ? undefined : { value: number },
        corrections: number === 7 ? [expect.objectContaining({ a: 'user_id:x' })] : [],
      })),
    )
    expect(events.take(1)).toEqual([])
    expect(events.take(2)).toEqual([])
    events.close()
  }
})

test('identifiers that events connect share a partition, and too large components have none', () => {
  const components = new Components()
  components.add(['d1', 'u1'], 2)
  components.add(['d2', 'u2'], 3)
  components.add(['u1', 'u3'], 1)
  components.add(['u3', 'd4'], 1)
  components.add(['d5'], 5)
  components.add(['d5', 'u5'], 2)
  const { of, hasOversized, count } = components.partitions(5, 6)
  expect(count).toBe(3)
  expect(hasOversized).toBe(true)
  expect(new Set(['d1', 'u1', 'u3', 'd4'].map(of)).size).toBe(1)
  expect(of('d1')).not.toBe(OVERSIZED)
  expect(['d5', 'u5'].map(of)).toEqual([OVERSIZED, OVERSIZED])
})
