/** Encodings that leave out what repeats return what they were given. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { textAt } from '../../pipeline/base/columns.ts'
import type { Json } from '../../pipeline/base/json.ts'
import { Texts } from '../../pipeline/base/texts.ts'
import { addSegment, SegmentWriter } from '../../pipeline/microbatch/codec/history-codec.ts'
import { IDENTIFIER_CODEC } from '../../pipeline/microbatch/codec/identifier-codec.ts'
import { JsonWriter } from '../../pipeline/microbatch/codec/json-writer.ts'
import { Ints } from '../../pipeline/stages/growable-array.ts'
import { Events, type GivenEvent } from '../../pipeline/stages/events.ts'

const value = fc.constantFrom(null, 0, -1.5, 1e21, 'a', 'é"\\\n\u2028\ud800', '', true, [1], {
  a: 2,
})
const text = fc.constantFrom('1', '"\\', 'zoë', '🜁\ud800', '\u007f\t')

/** Packs a column as runs if they are at most 0.4 of the values. */
function packed(values: Json[]): Json {
  const starts = values.flatMap((one, i) => (i === 0 || one !== values[i - 1] ? [i] : []))
  if (starts.length > Math.floor(values.length * 0.4)) return values
  const n = starts.map((start, run) => (starts[run + 1] ?? values.length) - start)
  return { n, v: starts.map((start) => values[start] as Json) }
}

/** Returns a segment as one call of `JSON.stringify`: dictionary codes count from 1. */
function slowSegment(given: readonly GivenEvent[]): string {
  const texts: string[] = []
  const codes = (values: readonly (string | undefined)[]) =>
    values.map((one) => {
      if (one === undefined) return 0
      if (!texts.includes(one)) texts.push(one)
      return texts.indexOf(one) + 1
    })
  const any = (values: Json[], absent: Json) =>
    values.every((one) => one === absent) ? null : packed(values)
  const [names, sources] = [codes(given.map((e) => e.name)), codes(given.map((e) => e.source))]
  const identifiers = codes(given.map((e) => e.identifiers?.[0]))
  const passed = given.map((e, i) => e.occurredAt - (given[i - 1]?.occurredAt ?? 0))
  const ids = given.map((e) => e.eventId)
  const operands = given.map((e) => e.operands?.[0] ?? null)
  const columns = [packed(names), packed(sources), [any(identifiers, 0)], [any(operands, null)]]
  return `2 ${JSON.stringify([texts, passed, packed(given.map((e) => e.ordinal)), ids, ...columns])}`
}

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

test('writes a history segment as JSON.stringify does, and reads it back', () => {
  const row = fc.record({
    at: fc.integer({ min: 0, max: 9 }),
    ordinal: fc.constantFrom(0, 0, 0, 3, Number.MAX_SAFE_INTEGER),
    name: fc.constantFrom('n', 'm'),
    id: text,
    who: fc.option(text, { nil: undefined }),
    operand: fc.option(value, { nil: undefined }),
  })
  const segments = fc.array(fc.array(row, { minLength: 1, maxLength: 50, size: 'max' }), {
    minLength: 1,
    maxLength: 3,
  })
  fc.assert(
    fc.property(segments, fc.constantFrom(1_772_359_200_000_000, -5), (all, from) => {
      const eventCodes = new Map([['n1', 5]])
      const make = () => new Events({ texts: new Texts(), eventCodes, namespaces: 1, operands: 1 })
      const [events, read] = [make(), make()]
      const writer = new SegmentWriter(events)
      const slow = all.map((rows) => {
        const given = rows.map(({ at, ordinal, name, id, who, operand }, i) => ({
          occurredAt: from + i * 60 + at,
          ordinal,
          name: `${name}${i % 20}`,
          eventId: `${id}${i}`,
          source: 'web',
          stream: 's',
          identifiers: [who],
          operands: [operand ?? undefined],
        }))
        writer.add(Int32Array.from(given, (event) => events.add(event)))
        return slowSegment(given)
      })
      const { bytes, offsets } = writer.column()
      const written = slow.map((_, i) =>
        Buffer.from(bytes.subarray(offsets[i], offsets[i + 1])).toString(),
      )
      expect(written).toEqual(slow)
      for (const segment of written) addSegment(read, read.texts.code('s'), segment)
      expect(contentOf(read)).toEqual(contentOf(events))
    }),
  )
})

test('writes numbers and texts as JSON.stringify does', () => {
  const edge = fc.constantFrom(0, 999_999_999, 1e9, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e21, Infinity)
  const number = fc
    .oneof(edge, fc.maxSafeInteger(), fc.double())
    .chain((n) => fc.constantFrom(n, -n))
  fc.assert(
    fc.property(fc.array(number), fc.array(fc.option(text)), (numbers, texts) => {
      const out = new JsonWriter()
      out.openArray()
      out.numbers(numbers)
      out.strings(texts)
      out.openObject()
      out.name('n')
      out.null()
      out.name('v')
      out.value(true)
      out.closeObject()
      out.closeArray()
      out.end()
      const expected = JSON.stringify([numbers, texts, { n: null, v: true }])
      expect(textAt(out.column(), 0)).toBe(expected)
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
      const out = new JsonWriter()
      IDENTIFIER_CODEC.write(out, given)
      out.end()
      const read = IDENTIFIER_CODEC.decode(textAt(out.column(), 0))
      expect(read).toEqual(given)
      expect(Object.keys(read.sightings)).toEqual(Object.keys(given.sightings))
    }),
  )
})
