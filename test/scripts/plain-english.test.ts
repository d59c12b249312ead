/** Lint rule for plain English: accepted and rejected texts. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { problemOf } from '../../scripts/lint/plain-english.js'

test.each([
  ['`0` is no batch size', '"is no": write "is not a …" instead'],
  ['there is none yet', '"there is none": write'],
  ['all rows but for the last', '"but for": write "except" instead'],
  ['* Of a place that was to hold one', '"Of …": start with a verb or a noun phrase'],
  ['* What is left', '"What …": start with a verb or a noun phrase'],
])('rejects %s', (text, problem) => {
  expect(problemOf(text)).toContain(problem)
})

test.each(['it is no longer open', '* Returns what is left', 'no events were read'])(
  'accepts %s',
  (text) => expect(problemOf(text)).toBeNull(),
)

test('oxlint reports banned phrases in a comment, a string and a template', () => {
  const dir = mkdtempSync(join(process.cwd(), 'scripts', 'lint', 'tmp-'))
  try {
    const lines = [
      '/** What this is */',
      "export const a = 'a batch is no file'",
      'export const b = `told apart: ${a}`',
    ]
    writeFileSync(join(dir, 'banned.ts'), `${lines.join('\n')}\n`)
    const { stdout } = spawnSync('npx', ['oxlint', dir], { encoding: 'utf8' })
    expect(stdout.match(/house\(plain-english\)/g)).toHaveLength(3)
  } finally {
    rmSync(dir, { recursive: true })
  }
})
