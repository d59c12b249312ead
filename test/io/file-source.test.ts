/** Chunks of the file source. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fileSource } from '../../pipeline/io/file-source.ts'

test('grows the chunks of a file fourfold up to the backlog size', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'file-source-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const path = join(dir, 'events.ndjson')
  await writeFile(path, '{}\n'.repeat(20))
  const linesOf = async (bounds: { linesMax: number; backlogLinesMax?: number }) => {
    const lines: number[] = []
    for await (const { bytes } of await fileSource([path], bounds)) lines.push(bytes.length / 3)
    return lines
  }
  expect(await linesOf({ linesMax: 1, backlogLinesMax: 6 })).toEqual([1, 4, 6, 6, 3])
  expect(await linesOf({ linesMax: 8 })).toEqual([8, 8, 4])
})
