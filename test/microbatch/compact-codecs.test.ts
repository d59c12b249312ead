/** Encodings that leave out what repeats return what they were given. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Texts } from '../../pipeline/base/texts.ts'
import { addSegment, segmentText } from '../../pipeline/microbatch/codec/history-codec.ts'
import { IDENTIFIER_CODEC } from '../../pipeline/microbatch/codec/identifier-codec.ts'
import { pack, unpack } from '../../pipeline/microbatch/runs.ts'
import { Ints } from '../../pipeline/stages/growable-array.ts'
import { Events } from '../../pipeline/stages/events.ts'

const throughJson = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value))
const value = fc.constantFrom(null, 0, 1, 'a', '', true)

test('returns the values of a packed column', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 30 }), (values) => {
      expect(unpack(throughJson(pack([...values])))).toEqual(values)
    }),
  )
  expect(unpack(throughJson(pack([[1], [1], { a: 2 }, [1]])))).toEqual([[1], [1], { a: 2 }, [1]])
  expect(pack(['a', 'a', 'a', 'a', 'a', 'b'])).toEqual({ n: [5, 1], v: ['a', 'b'] })
  expect(pack(['a', 'a', 'a', 'b'])).toEqual(['a', 'a', 'a', 'b'])
})

/** Returns the events of a working set as texts. */
const contentOf = (events: Events) =>
  Array.from({ length: events.count }, (_, row) => {
    const textOf = (column: Ints) => (column.at(row) < 0 ? null : events.texts.at(column.at(row)))
    return [
      events.place(row),
      textOf(events.name),
      textOf(events.source),
      textOf(events.stream),
      events.code.at(row),
      events.identifiers.map(textOf),
      events.operands.map((column) => column[row]),
    ]
  })

test('returns the events of a history segment', () => {
  const row = fc.record({
    at: fc.integer({ min: 0, max: 9 }),
    ordinal: fc.constantFrom(0, 0, 0, 3),
    name: fc.constantFrom('n', 'm'),
    who: fc.option(fc.constantFrom('user_id:1', 'user_id:2'), { nil: undefined }),
    operand: fc.option(value, { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 50, size: 'max' }), (rows) => {
      const make = () =>
        new Events({
          texts: new Texts(),
          eventCodes: new Map([['n1', 5]]),
          namespaces: 1,
          operands: 1,
        })
      const [events, read] = [make(), make()]
      rows.forEach(({ at, ordinal, name, who, operand }, i) => {
        events.add({
          occurredAt: 1_772_359_200_000_000 + i * 60 + at,
          ordinal,
          // More texts than are compared one by one; later events repeat them.
          name: `${name}${i % 20}`,
          eventId: `e${i}`,
          source: 'web',
          stream: 's',
          identifiers: [who],
          operands: [operand ?? undefined],
        })
      })
      const text = segmentText(events, Int32Array.from(rows.keys()))
      addSegment(read, read.texts.code('s'), text)
      expect(contentOf(read)).toEqual(contentOf(events))
    }),
  )
})

test('returns an identifier image', () => {
  const name = fc.constantFrom('user_id:1', 'device:2', 'device:3')
  const sighting = fc.tuple(name, fc.nat(), fc.nat(), fc.nat())
  const image = fc.record({
    component: fc.option(name),
    profile: name,
    sightings: fc.dictionary(name, fc.array(sighting, { maxLength: 3 })),
  })
  fc.assert(
    fc.property(image, (given) => {
      const read = IDENTIFIER_CODEC.decode(IDENTIFIER_CODEC.encode(given))
      expect(read).toEqual(given)
      expect(Object.keys(read.sightings)).toEqual(Object.keys(given.sightings))
    }),
  )
})
