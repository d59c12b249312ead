/**
 * Scanning agrees with parsing: over random lines both accept the same, refuse the same for the same
 * reason with the same detail, and build the same batch. `DECODE_LINES` sets how many lines.
 */

import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { BatchBuilder } from '../../pipeline/decode/event-batch-builder.ts'
import type { EventBatch } from '../../pipeline/decode/event-batch.ts'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { IdentifierReader } from '../../pipeline/decode/identifier-values.ts'
import { LineDecoder, type DecodeOptions } from '../../pipeline/decode/line-decoder.ts'
import { LineScanner } from '../../pipeline/decode/scan/line-scanner.ts'
import { IDENTITY_DEFAULT } from '../../pipeline/definition/settings.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { RandomLines } from './random-lines.ts'

/** 2026-03-01T12:00:00Z */
const NOW = 1_772_366_400_000_000
const LINES = Number(process.env['DECODE_LINES'] ?? 20_000)
const LINES_A_CHUNK = 500
const SEED = Number(process.env['DECODE_SEED'] ?? 1)

const OPTIONS: DecodeOptions = {
  identity: IDENTITY_DEFAULT,
  operandPaths: [
    'properties.a.b',
    'properties.price',
    'context.c',
    'context.a',
    'properties.__proto__',
  ],
  format: undefined,
  events: { events: { Priced: z.object({ price: z.number() }), Seen: null } },
  hashKey: undefined,
}
const VARIANTS: { [name: string]: DecodeOptions } = {
  'by shape': OPTIONS,
  native: { ...OPTIONS, format: 'native' },
  Segment: { ...OPTIONS, format: 'segment' },
  'no operands': { ...OPTIONS, operandPaths: [] },
  'known events and other namespaces': {
    ...OPTIONS,
    identity: { ...IDENTITY_DEFAULT, person: ['email'], device: ['cookie', '7'] },
    events: { ...OPTIONS.events, unknown: 'refuse' },
  },
}

/** Decodes every line by parsing it. */
function parsed(options: DecodeOptions, chunk: Buffer): EventBatch {
  const { person, device } = options.identity
  const reader = new IdentifierReader(options.identity, undefined)
  const isIgnored = (value: string) => reader.isPlaceholder(value)
  const builder = new BatchBuilder([...person, ...device], isIgnored, options.operandPaths.length)
  const decoder = new LineDecoder(options)
  for (let from = 0; from < chunk.length;) {
    const to = chunk.indexOf('\n', from)
    decoder.add(chunk, from, to, NOW, builder)
    from = to + 1
  }
  return builder.take(chunk)
}

test.each(Object.entries(VARIANTS))(
  'scanning agrees with parsing: %s',
  (_, options) => {
    const lines = new RandomLines(SEED)
    const decoder = new ChunkDecoder(options)
    const perVariant = LINES / Object.keys(VARIANTS).length
    for (let done = 0; done < perVariant; done += LINES_A_CHUNK) {
      const chunk = Buffer.concat(
        Array.from({ length: LINES_A_CHUNK }, () => [lines.line(), Buffer.from('\n')]).flat(),
      )
      const [scanned, reference] = [decoder.decode(chunk, NOW), parsed(options, chunk)]
      // The matcher is slow where all is equal, and shows what is not.
      if (!isDeepStrictEqual(scanned, reference)) expect(scanned).toEqual(reference)
    }
  },
  3_600_000,
)

/** The share of accepted lines that are scanned. */
function scannedShare(lines: Iterable<Buffer>): number {
  const reader = new IdentifierReader(IDENTITY_DEFAULT, undefined)
  const namespaces = [...IDENTITY_DEFAULT.person, ...IDENTITY_DEFAULT.device]
  const builder = () => new BatchBuilder(namespaces, (value) => reader.isPlaceholder(value), 5)
  const [scanned, accepted] = [builder(), builder()]
  const [scanner, decoder] = [LineScanner.of(OPTIONS), new LineDecoder(OPTIONS)]
  for (const line of lines) {
    scanner?.add(line, 0, line.length, NOW, scanned)
    decoder.add(line, 0, line.length, NOW, accepted)
  }
  const none = new Uint8Array(0)
  return scanned.take(none).count / accepted.take(none).count
}

test('nearly all lines of a shop, and many random ones, are scanned', () => {
  const shop = Array.from(new Shop(1).lines(5_000), (line) => Buffer.from(line))
  expect(scannedShare(shop)).toBeGreaterThan(0.99)
  const random = new RandomLines(SEED)
  expect(scannedShare(Array.from({ length: 2_000 }, () => random.line()))).toBeGreaterThan(0.4)
})
