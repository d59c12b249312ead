/** Events by partition, in memory and in the temporary file. */

import { expect, test } from 'vitest'
import { Components, OVERSIZED } from '../../pipeline/bulk/components.ts'
import type { EventColumns } from '../../pipeline/decode/event-batch.ts'
import { EventColumnsBuilder } from '../../pipeline/decode/event-columns-builder.ts'
import { PartitionedEvents } from '../../pipeline/bulk/partitioned-events.ts'

const eventOf = (number: number) => ({
  eventId: `e${number}`,
  name: number % 2 === 0 ? 'Even' : 'Odd',
  source: 'web',
  occurredAt: number,
  ordinal: 0,
  identifiers: [undefined, `anonymous_id:a${number % 5}`],
  operands: [number % 3 === 0 ? undefined : { value: number }],
  corrections:
    number % 20 === 7 ? [{ kind: 'alias' as const, a: 'user_id:x', b: 'user_id:y' }] : [],
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
        corrections: number % 20 === 7 ? [expect.objectContaining({ a: 'user_id:x' })] : [],
      })),
    )
    expect(events.take(1)).toEqual([])
    expect(events.take(2)).toEqual([])
    events.close()
  }
})

test('rows of columns are distributed like single events', () => {
  const shape = { partitions: 3, namespaces: 2, operands: 1 }
  const partitionOf = (number: number) => (number % 5 === 4 ? OVERSIZED : (number % 5) % 3)
  for (const inMemoryMax of [1, 15, 100]) {
    const [one, other] = [1, 2].map(() => new PartitionedEvents(shape, inMemoryMax))
    for (const first of [0, 20]) {
      const builder = new EventColumnsBuilder(2, 1)
      for (let number = first; number < first + 20; number++) builder.add(eventOf(number))
      const rows = Array.from({ length: 20 }, (_, row) => row).filter((row) => row % 7 !== 3)
      const numbers = rows.map((row) => first + row)
      other?.addRows(builder.take(), rows, Int32Array.from(numbers, partitionOf))
      for (const number of numbers) one?.add(partitionOf(number), eventOf(number))
    }
    const eventsOf = (pieces: EventColumns[] = []) => pieces.map(plain).flat()
    for (const partition of [0, 1, 2]) {
      const expected = eventsOf(one?.take(partition))
      expect(expected.length).toBeGreaterThan(3)
      expect(eventsOf(other?.take(partition))).toEqual(expected)
    }
    one?.close()
    other?.close()
  }
})

function plain(piece: EventColumns) {
  const textOf = ({ values, codes }: EventColumns['name'], row: number) =>
    values[codes[row] as number]
  return piece.eventId.map((eventId, row) => ({
    eventId,
    name: textOf(piece.name, row),
    source: textOf(piece.source, row),
    at: [piece.occurredAt[row], piece.ordinal[row]],
    identifiers: piece.identifiers.map((column) => textOf(column, row)),
    operands: piece.operands.map((values) => values[row]),
    corrections: piece.corrections
      .filter((correction) => correction.row === row)
      .map(({ kind, a, b }) => ({ kind, a, b })),
  }))
}

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
