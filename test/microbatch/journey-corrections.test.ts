/** Journeys in batches: late events correct what was decided, effects and their outbox follow. */

import { describe, expect, test } from 'vitest'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { Harness } from '../support/dump.ts'
import { check } from '../support/histories/history.ts'

/** Returns a journey `j` with these states, starting in `a`. */
function machine(states: { [state: string]: object }, more: object = {}): { journeys: Journey[] } {
  return { journeys: [{ id: 'j', version: 1, initial: 'a', states, ...more } as Journey] }
}

const END = { type: 'final' }

test('a late event supersedes a timeout that should not have fired', () =>
  check(
    `
    at     user_id  event  ->  j
    10:00  u1       Look       -
    12:00  u2       Look       -
    10:30  u1       Go         b
    then user_id:u1 j b
    then user_id:u2 j a
  `,
    machine(
      { a: { on: { Go: 'b' }, after: { '1h': 'late' } }, b: END, late: END },
      { startOn: ['Look'] },
    ),
  ))

describe('effects', () => {
  const definitions = makeDefinitions(
    machine({
      a: { on: { Go: 'b', Buy: 'c' } },
      b: { on: { Buy: 'c' }, effects: [{ type: 'mail', within: '1h' }] },
      c: END,
    }),
  )
  const event = (id: string, time: string, name: string) =>
    JSON.stringify({
      event_id: id,
      name,
      occurred_at: `2026-03-01T${time}:00Z`,
      identifiers: { user_id: 'u1' },
    })
  const outbox = async (harness: Harness) =>
    (
      await harness.warehouse.query('select kind, status, type from effects order by recorded_by')
    ).map((row) => Object.values(row).join(' '))

  test('effects are written once, retracted with their transition, and expire', async () => {
    const harness = new Harness(definitions)
    await harness.feed([event('e2', '10:10', 'Go')])
    await harness.feed([event('e2', '10:10', 'Go')])
    expect(await outbox(harness)).toEqual(['effect due mail'])
    await harness.feed([event('e1', '10:00', 'Buy')])
    expect(await outbox(harness)).toEqual(['effect due mail', 'retraction due mail'])
    await harness.warehouse.close()
    const late = new Harness(definitions)
    await late.feed([event('f1', '10:10', 'Go')], 1_772_400_000_000_000)
    expect(await outbox(late)).toEqual(['effect expired mail'])
    await late.warehouse.close()
  })

  test('effects of another transition caused by the same event are different effects', async () => {
    const harness = new Harness(
      makeDefinitions(
        machine({
          a: { on: { Go: 'b', Skip: 'c' } },
          b: { on: { Skip: 'c' }, effects: [{ type: 'mail' }] },
          c: { on: { Go: 'd' } },
          d: { ...END, effects: [{ type: 'text' }] },
        }),
      ),
    )
    await harness.feed([event('e2', '10:10', 'Go')])
    await harness.feed([event('e1', '10:00', 'Skip')])
    expect((await outbox(harness)).toSorted()).toEqual([
      'effect due mail',
      'effect due text',
      'retraction due mail',
    ])
    await harness.warehouse.close()
  })
})
