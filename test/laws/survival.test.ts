/** Time in state on random open and closed stays, compared with a slow reference. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { ANALYSIS, type Stay, type Tables } from '../reference/analysis.ts'
import type { Row as JsonRow } from '../reference/reference.ts'
import { sorted } from '../support/dump.ts'
import { viewRows, viewText } from '../support/view-text.ts'
import { isLong, runsOf } from '../support/long.ts'

const RUNS = runsOf('SURVIVAL_RUNS', 8, 25)
const WATERMARK = 100_000_000

/** Most stays are short and end, so that nine in ten leave and some remain. */
const stays = fc.array(
  fc.record({
    state: fc.constantFrom('a', 'a', 'a', 'b'),
    visit: fc.constantFrom(1, 1, 1, 2),
    entered_at: fc.integer({ min: 0, max: 40_000 }).map((ms) => ms * 1_000),
    age: fc.integer({ min: 0, max: 12 }).map((ms) => ms * 1_000),
    hasLeft: fc.constantFrom(true, true, true, true, true, true, true, false),
  }),
  { minLength: 10, maxLength: 60 },
)

const inOrder = (rows: Row[]) => sorted(rows as JsonRow[])

function relationsOf(states: Stay[]): [string, string][] {
  const rows = states.map(({ state_id, state, visit, entered_at, exited_at }) => {
    const exit = exited_at === null ? 'null' : `make_timestamptz(${exited_at})`
    return `('${state_id}', '${state}', ${visit}, make_timestamptz(${entered_at}), ${exit})`
  })
  const columns = 'state_id, state, visit, entered_at, exited_at'
  const query = `select state_id, 'j' as journey, 1 as version, 'main' as track, state, visit,
      'p' as profile_id, 'i' as instance_id, entered_at, exited_at, false as is_final
    from (values ${rows.join(', ')}) as given (${columns})`
  return [
    ['states', query],
    ['batches', `select make_timestamptz(${WATERMARK}) as watermark`],
    ['survival', viewText('survival')],
  ]
}

test('survival, state_durations and stuck equal the slow reference', async () => {
  let stuck = 0
  await fc.assert(
    fc.asyncProperty(stays, async (given) => {
      const states = given.map(({ state, visit, entered_at, age, hasLeft }, i): Stay => ({
        state_id: `s${i}`,
        journey: 'j',
        version: 1,
        track: 'main',
        profile_id: 'p',
        instance_id: 'i',
        state,
        visit,
        // An open stay is as old as at the watermark; most are older than those that ended.
        entered_at: hasLeft ? entered_at : WATERMARK - 2 * age,
        exited_at: hasLeft ? entered_at + age : null,
        exited_by: null,
        is_final: false,
      }))
      const tables = { states, watermark: WATERMARK } as Tables
      for (const view of ['survival', 'state_durations', 'stuck']) {
        const relations = relationsOf(states).filter(([name]) => name !== view)
        const rows = inOrder(await viewRows(view, relations, '1'))
        expect({ view, rows }).toEqual({ view, rows: inOrder(ANALYSIS[view]?.(tables) ?? []) })
        if (view === 'stuck') stuck += rows.length
      }
    }),
    { numRuns: RUNS, seed: 3 },
  )
  if (isLong) expect(stuck).toBeGreaterThan(0)
})
