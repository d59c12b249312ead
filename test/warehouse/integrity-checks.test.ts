/** Each check of `sql/checks/` passes on an intact warehouse and finds the damage it is for. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failedChecks } from '../../pipeline/warehouse/integrity-checks.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { startCommands } from '../support/commands.ts'
import { Harness } from '../support/dump.ts'

const order: Journey = {
  id: 'order',
  version: 1,
  initial: 'cart',
  startOn: ['Added'],
  states: {
    cart: { on: { Paid: 'paid', Removed: 'cart' }, after: { '1h': 'idle' } },
    idle: { on: { Added: 'cart' }, effects: [{ type: 'reminder' }] },
    paid: { type: 'final' },
  },
  funnels: { sale: { steps: ['cart', 'paid'], within: '1d' } },
}

async function story(warehouse: Warehouse): Promise<Harness> {
  const told = new Harness(makeDefinitions({ journeys: [order] }), warehouse)
  const event = (id: string, time: string, name: string, who: object) =>
    JSON.stringify({
      event_id: id,
      name,
      occurred_at: `2026-03-01T${time}:00Z`,
      identifiers: who,
    })
  await told.feed([
    event('e1', '10:00', 'Added', { anonymous_id: 'a1' }),
    event('e2', '10:10', 'Removed', { anonymous_id: 'a1' }),
    event('e3', '12:00', 'Added', { anonymous_id: 'a1', user_id: 'u1' }),
    event('e4', '12:01', 'Added', { anonymous_id: 'a1', user_id: 'u1' }),
  ])
  await told.feed([event('e5', '12:05', 'Paid', { user_id: 'u1', anonymous_id: 'a1' })])
  await told.feed([event('f1', '12:10', 'Added', { user_id: 'u2', anonymous_id: 'a2' })])
  return told
}

let harness: Harness
beforeAll(async () => {
  harness = await story(duckdbWarehouse(':memory:'))
})
afterAll(() => harness.warehouse.close())

const DAMAGE: { [check: string]: string } = {
  attempts_have_their_steps: 'update funnel_attempt_base set deepest_step = 1',
  batches_are_dense: 'update batches_log set batch = 7 where batch = 2',
  cycles_are_numbered: 'update cycle_base set cycle_no = cycle_no + 1',
  cycles_match_visits: "update cycle_base set started_at = started_at - interval '1 second'",
  effects_have_a_transition: 'update effects_log set transition_id = uuid()',
  events_have_one_profile: `insert into event_profile_base by name
    select * replace (uuid() as row_key, 'user_id:u9' as profile_id) from event_profile_base
    where event_id = 'e1'`,
  exits_are_the_next_transition: "update state_base set exited_by = uuid() where state = 'idle'",
  finals_are_final: "update state_base set is_final = true where state = 'idle'",
  identities_are_seen: "update identity_base set event_count = 99 where namespace = 'user_id'",
  instances_are_numbered: `update transition_base set profile_id = 'user_id:u9'
    where to_state = 'paid'`,
  nothing_is_after_the_watermark:
    "update batches_log set watermark = watermark - interval '1 hour'",
  rejections_meet_running_instances: "update rejection_base set event_id = 'e5'",
  sessions_of_a_stream_are_apart: `update session_base
    set ended_at = timestamptz '2026-03-01 12:30:00+00' where session_id = 'e1'`,
  sessions_partition_events: "update session_base set event_count = 5 where session_id = 'e1'",
  states_have_their_transition: "update state_base set state = 'lost' where state = 'idle'",
  stays_follow_one_another: `update state_base
    set exited_at = exited_at - interval '1 second' where state = 'idle'`,
  timeouts_have_no_event: "update transition_base set event_id = 'e4' where cause = 'timeout'",
  transitions_are_in_order: 'update transition_base set seq = seq + 1 where seq > 2',
  versions_do_not_overlap: `insert into session_base by name
    select * replace (uuid() as row_key) from session_base where session_id = 'e1'`,
  visits_are_dense: "update transition_base set visit = 5 where to_state = 'paid'",
}

test('all checks pass on an intact warehouse', async () => {
  const { asked, failed } = await failedChecks(harness.warehouse)
  expect(failed).toEqual([])
  expect(asked).toBe(Object.keys(DAMAGE).length)
})

test('there is one kind of damage for each check', () => {
  const files = readdirSync('sql/checks').map((file) => file.replace('.sql', ''))
  expect(Object.keys(DAMAGE).sort()).toEqual(files.sort())
})

test.each(Object.entries(DAMAGE))('%s finds its damage', async (check, damage) => {
  await harness.warehouse.query('begin')
  await harness.warehouse.query(damage)
  const { failed } = await failedChecks(harness.warehouse)
  await harness.warehouse.query('rollback')
  const found = failed.find(({ name }) => name === check)
  expect(found?.meaning).toMatch(/^A row means that /)
  expect(found?.rows.length).toBeGreaterThan(0)
})

const command = startCommands()

test('npm run check reports what is wrong and exits with 1', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
  const path = join(dir, 'told.duckdb')
  const check = () => command('check', ['--warehouse', `duckdb:${path}`])
  const { warehouse } = await story(duckdbWarehouse(path))
  await warehouse.close()
  const sound = await check()
  expect(sound).toMatchObject({ status: 0, stdout: expect.stringMatching(/checks passed/) })
  await warehouse.open()
  await warehouse.query("update state_base set is_final = true where state = 'idle'")
  await warehouse.close()
  const { status, stdout, stderr } = await check()
  expect(status).toBe(1)
  expect(stdout).toMatch(/^finals_are_final\n {2}A row means .* a final state\.\n {2}\{.*"idle"/m)
  expect(stderr).toBe('error: 1 of 20 checks failed')
  rmSync(dir, { recursive: true })
})
