/** Chunks of the file source. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fileSource } from '../../pipeline/io/file-source.ts'

test('doubles the chunks of a file up to the backlog size', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'file-source-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const path = join(dir, 'events.ndjson')
  await writeFile(path, '{}\n'.repeat(20))
  const linesOf = async (bounds: { linesMax: number; backlogLinesMax?: number }) => {
    const lines: number[] = []
    for await (const { bytes } of await fileSource([path], bounds)) lines.push(bytes.length / 3)
    return lines
  }
  expect(await linesOf({ linesMax: 2, backlogLinesMax: 8 })).toEqual([2, 4, 8, 6])
  expect(await linesOf({ linesMax: 8 })).toEqual([8, 8, 4])
})
