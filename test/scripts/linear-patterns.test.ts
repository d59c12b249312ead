/** Lint rule for regular expressions: accepted and rejected patterns. */

import { expect, test } from 'vitest'
import { problemOf } from '../../scripts/lint/linear-patterns.js'

test.each([
  ['a repeated group of repetitions', '^(a+)+$', ''],
  ['a run before an end that may be missing', '\\s+$', ''],
  ['a quoted text with escapes', '"((?:[^"\\\\]|\\\\.)*)"', 'g'],
  ['a number after a key and spaces', '(?<=id"\\s*:\\s*)-?\\d+', 'gi'],
])('rejects %s', (_, source, flags) => {
  expect(problemOf(source, flags)).toMatch(/^\/.* can take (quadratic|exponential) time/)
})

test.each([
  ['an anchored run', '^[a-z][a-z0-9_]*$', ''],
  ['a run that nothing follows', '\\$(\\d+)', 'g'],
  ['a bounded run', '\\b(\\w{1,64}) as', 'g'],
])('accepts %s', (_, source, flags) => {
  expect(problemOf(source, flags)).toBeNull()
})
