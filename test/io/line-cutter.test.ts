/** Chunks of whole lines, and buffers that are used again. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LINE_BYTES_MAX } from '../../pipeline/decode/limits.ts'
import { cutAtLines, LineCutter, READ_BYTES, Spares } from '../../pipeline/io/line-cutter.ts'

async function* streamOf(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield await Promise.resolve(part)
}

async function chunksOf(parts: readonly Buffer[], cutter: LineCutter): Promise<string[]> {
  const chunks: string[] = []
  for await (const chunk of cutAtLines(streamOf(parts), cutter)) {
    chunks.push(Buffer.from(chunk).toString())
  }
  return chunks
}

/** Returns the chunks by splitting the whole text. */
function expected(text: string, linesMax: number, growTo: number): string[] {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const chunks: string[] = []
  for (let limit = linesMax; lines.length > 0; limit = Math.min(4 * limit, growTo)) {
    chunks.push(lines.splice(0, limit).join(''))
  }
  return chunks
}

const part = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n'), maxLength: 20 })

test('cuts the same chunks however the input is split', async () => {
  const bounds = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 20 }))
  await fc.assert(
    fc.asyncProperty(fc.array(part), bounds, async (parts, [linesMax, more]) => {
      const growTo = linesMax + more
      const chunks = await chunksOf(
        parts.map((text) => Buffer.from(text)),
        new LineCutter(linesMax, growTo),
      )
      expect(chunks).toEqual(expected(parts.join(''), linesMax, growTo))
    }),
  )
})

test('reads into buffers that are given back, and into no others', () => {
  const spares = new Spares()
  const cutter = new LineCutter(1, 1, spares)
  const read = (text: string) => {
    cutter.room().set(Buffer.from(text))
    return [...cutter.added(text.length)]
  }
  const [first] = read('first\n') as [Uint8Array]
  const [second] = read('second\n') as [Uint8Array]
  expect(second.buffer).not.toBe(first.buffer)
  spares.give(first)
  const [third] = read('third\n') as [Uint8Array]
  expect(third.buffer).toBe(first.buffer)
  expect(Buffer.from(second).toString()).toBe('second\n')
  expect(Buffer.from(third).toString()).toBe('third\n')
})

test('keeps no buffer after the end of the input', () => {
  const spares = new Spares()
  spares.give(new Uint8Array(8))
  spares.close()
  spares.give(new Uint8Array(8))
  expect(spares.take(1, 2).length).toBe(2)
})

test('keeps one byte more of a line than its limit', async () => {
  const long = Buffer.alloc(LINE_BYTES_MAX + 2 * READ_BYTES, 'x')
  const parts = [Buffer.from('before\n'), long, Buffer.from('\nafter\n'), long]
  const chunks = await chunksOf(parts, new LineCutter(2))
  const kept = 'x'.repeat(LINE_BYTES_MAX + 1)
  expect(chunks.map((chunk) => chunk.length)).toEqual([7 + kept.length + 1, 6 + kept.length])
  expect(chunks[0] === `before\n${kept}\n` && chunks[1] === `after\n${kept}`).toBe(true)
})
