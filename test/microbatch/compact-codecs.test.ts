/** Encodings that leave out what repeats return what they were given. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addSegment, segmentText } from '../../pipeline/microbatch/codec/history-codec.ts'
import { IDENTIFIER_CODEC } from '../../pipeline/microbatch/codec/identifier-codec.ts'
import { pack, unpack } from '../../pipeline/microbatch/runs.ts'
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
      const [events, read] = [new Events(1, 1), new Events(1, 1)]
      rows.forEach(({ at, ordinal, name, who, operand }, i) => {
        events.occurredAt.push(1_772_359_200_000_000 + i * 60 + at)
        events.ordinal.push(ordinal)
        // More texts than are compared one by one; later events repeat them.
        events.name.push(`${name}${i % 20}`)
        events.eventId.push(`e${i}`)
        events.source.push('web')
        events.stream.push('s')
        events.identifiers[0]?.push(who)
        events.operands[0]?.push(operand ?? undefined)
      })
      const text = segmentText(
        events,
        rows.map((_, i) => i),
      )
      addSegment(read, 's', text)
      expect({ ...read }).toEqual({ ...events, inOrder: read.inOrder })
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
