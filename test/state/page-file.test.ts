/** Pages of an index: what was written is read again, however few pages fit into memory. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { PageFile } from '../../pipeline/state/page-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const PAGES = 8
const open = (path: string) => PageFile.open<{ pages: number }>(path, ({ pages }) => pages)

test('returns the last words of each page, with few pages in memory and after opening', () => {
  const path = join(dir, 'pages')
  const written = fc.tuple(fc.nat(PAGES - 1), fc.integer({ min: 1, max: 1_023 }), fc.nat(9))
  fc.assert(
    fc.property(
      fc.array(written, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      (all, max) => {
        const pages = PageFile.make(path, PAGES, max)
        const expected = new Map<string, number>()
        for (const [page, word, value] of all) {
          const { words, from } = pages.at(page)
          words[from + word] = value
          pages.changed(page)
          expected.set(`${page}.${word}`, value)
        }
        const contentOf = (file: PageFile) =>
          [...expected.keys()].map((place) => {
            const [page = 0, word = 0] = place.split('.').map(Number)
            const { words, from } = file.at(page)
            return words[from + word]
          })
        expect(contentOf(pages)).toEqual([...expected.values()])
        pages.close({ pages: PAGES })
        const again = open(path)
        expect(contentOf(again?.pages as PageFile)).toEqual([...expected.values()])
        again?.pages.discard()
      },
    ),
    { numRuns: 60 },
  )
})

test('a file whose pages are being written, or with a damaged head, is not opened', () => {
  const path = join(dir, 'unfinished')
  const pages = PageFile.make(path, PAGES)
  pages.at(3).words.fill(1, 4)
  pages.changed(3)
  expect(open(path)).toBeNull()
  pages.close({ pages: PAGES })
  const closed = readFileSync(path)
  open(path)?.pages.begin()
  expect(open(path)).toBeNull()
  for (const byte of [0, 4, 8, 12]) {
    const damaged = Buffer.from(closed)
    damaged[byte] = (damaged[byte] as number) ^ 1
    writeFileSync(path, damaged)
    expect([byte, open(path)]).toEqual([byte, null])
  }
  writeFileSync(path, closed)
  expect(open(path)?.head).toEqual({ pages: PAGES })
})
