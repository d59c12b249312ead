/**
 * Worked funnels of another engine (retentioneering): ordered, other events may come between, no
 * window, people counted once. Skipped if they are not beside the checkout.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkFunnel } from '../../pipeline/definition/check/check-funnel.ts'
import { FunnelBench, type GivenEvent } from '../support/histories/funnel-history.ts'

type Case = {
  test: string
  events: { user_id: string; event: string; timestamp: string }[]
  steps: string[]
  expected_steps: { unique_paths: number; conversion_rate?: number }[]
}

const DATA = process.env['DESIRE_PATH_SHARED'] ?? '../shared/data'
const FILE = join(DATA, 'paths-retentioneering/cases_neutral.json')
const cases = existsSync(FILE)
  ? (JSON.parse(readFileSync(FILE, 'utf8')) as { funnels: Case[] }).funnels
  : []
if (cases.length === 0) console.log('skipped: no shared data')

/** Longer than all histories, because they have no window. */
const WITHIN = '1000d'

function attemptsOf(given: GivenEvent[], steps: string[]): string[] {
  const end = Math.max(...given.map(({ at }) => at))
  const bench = new FunnelBench({ steps, within: WITHIN, count: 'profiles' }, given)
  return bench.inOneGo(end).map(({ text }) => text)
}

describe.skipIf(cases.length === 0)('funnels of another engine', () => {
  test.each(cases.filter(({ steps }) => steps.length > 0))('$test', (one) => {
    const people = new Map<string, GivenEvent[]>()
    for (const [i, { user_id, event, timestamp }] of one.events.entries()) {
      const given = people.get(user_id) ?? []
      const at = Date.parse(`${timestamp.replace(' ', 'T')}Z`) * 1_000
      given.push({ id: `e${i}`, name: event, at })
      people.set(user_id, given)
    }
    const depths = [...people.values()].map((given) =>
      Math.max(0, ...attemptsOf(given, one.steps).map((text) => text.split(' ').length - 1)),
    )
    one.expected_steps.forEach((expected, i) => {
      const reached = depths.filter((depth) => depth > i).length
      expect({ step: i, reached }).toEqual({ step: i, reached: expected.unique_paths })
      if (expected.conversion_rate === undefined) return
      expect(reached / depths.length).toBeCloseTo(expected.conversion_rate, 3)
    })
  })

  // The other engine returns nothing; this one reports what is missing.
  test('a funnel without steps is refused', () => {
    const funnel = { id: 'f', steps: [], within: WITHIN }
    expect(checkFunnel('f.ts', funnel)).toEqual(['f.ts: it has no steps; write steps: [event, …]'])
  })
})
