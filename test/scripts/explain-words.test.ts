/** Explanations as text: values that conditions read. */

import { expect, test } from 'vitest'
import { outcomeWords } from '../../scripts/explain/words.ts'

const ignoredBecause = (condition: string, seen: string | number) =>
  outcomeWords({
    kind: 'ignored',
    journey: 'onboarding',
    track: 'main',
    from: 'verified',
    to: null,
    tried: [{ target: 'activated', held: false, parts: [{ condition, held: false, seen }] }],
  } as unknown as Parameters<typeof outcomeWords>[0])

test.each([
  ['205000 ms', '3 m 25 s'],
  ['59999.5 ms', '59 s'],
  ['7509000 ms', '2 h 5 m 9 s'],
  ['0.25 ms', '0.25 ms'],
  ['86400000 ms', '1 d'],
])('writes a stay of %s as %s', (seen, told) => {
  expect(ignoredBecause('stayed at least 10m', seen)).toContain(`not met, it was ${told})`)
})

test('a property keeps its quotes, whatever its text looks like', () => {
  expect(ignoredBecause('pace is 5', '9000 ms')).toContain('it was "9000 ms"')
  expect(ignoredBecause('count of Seen at least 3', 2)).toContain('it was 2')
})
