/** Writers of JSON use one array after another. */

import { expect, test } from 'vitest'
import { textAt, type TextColumn } from '../../pipeline/base/columns.ts'
import { JsonWriter } from '../../pipeline/microbatch/codec/json-writer.ts'

const textsOf = (column: TextColumn) =>
  Array.from({ length: column.offsets.length - 1 }, (_, row) => textAt(column, row))

function write(out: JsonWriter, values: readonly string[]): void {
  for (const value of values) {
    out.string(value)
    out.end()
  }
}

test('a column keeps its texts while other writers write', () => {
  const long = 'x'.repeat(100_000)
  const [first, second] = [new JsonWriter(), new JsonWriter()]
  write(first, ['a', long])
  write(second, ['b', 'c'])
  const [one, two] = [first.column(), second.column()]
  const third = new JsonWriter()
  write(third, ['dd', 'ee', 'ff'])
  const fourth = new JsonWriter()
  write(fourth, ['gg'])
  expect(textsOf(one)).toEqual(['"a"', `"${long}"`])
  expect(textsOf(two)).toEqual(['"b"', '"c"'])
  expect(textsOf(third.column())).toEqual(['"dd"', '"ee"', '"ff"'])
  expect(textsOf(fourth.column())).toEqual(['"gg"'])
})
