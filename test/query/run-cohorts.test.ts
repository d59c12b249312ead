/** Cohort runs: who entered and left and why, what is recorded, and the command. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Cohort } from '../../pipeline/definition/cohort.ts'
import { runCohorts } from '../../pipeline/query/run-cohorts.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { startCommands } from '../support/commands.ts'
import { Harness } from '../support/dump.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const order: Journey = {
  id: 'order',
  version: 1,
  initial: 'cart',
  startOn: ['Added'],
  states: { cart: { on: { Paid: 'paid', Added: 'cart' } }, paid: { type: 'final' } },
}
const inCart: Cohort = { id: 'in_cart', who: { journey: 'order', in: 'cart' } }

let events = 0
const event = (time: string, name: string, identifiers: { [namespace: string]: string }) =>
  JSON.stringify({
    event_id: `e${(events += 1)}`,
    name,
    occurred_at: `2026-03-01T${time}:00Z`,
    identifiers,
  })

function begin(cohorts: Cohort[]): Harness {
  return new Harness(makeDefinitions({ journeys: [order], cohorts }))
}

/** Processes a batch and runs the cohorts. Returns the changes as text. */
async function step(harness: Harness, lines: string[], cohorts = harness.definitions.cohorts) {
  await harness.feed(lines)
  harness.restart()
  const head = await harness.warehouse.open()
  const { changes } = await runCohorts(harness.warehouse, head, cohorts)
  return changes.map(({ profileId, change, reason }) => `${profileId} ${change}: ${reason}`)
}

const u1 = { user_id: 'u1' }
const u2 = { user_id: 'u2' }

test('distinguishes members who moved on from members by mistake', async () => {
  const harness = begin([inCart])
  expect(await step(harness, [event('10:00', 'Added', u1), event('10:00', 'Added', u2)])).toEqual([
    'user_id:u1 entered: first_run',
    'user_id:u2 entered: first_run',
  ])
  expect(await step(harness, [event('11:00', 'Paid', u1)])).toEqual(['user_id:u1 left: moved_on'])
  expect(await step(harness, [event('10:30', 'Paid', u2)])).toEqual(['user_id:u2 left: corrected'])
  expect(await step(harness, [event('10:40', 'Added', { user_id: 'u3' })])).toEqual([
    'user_id:u3 entered: corrected',
  ])
  expect(await step(harness, [event('12:00', 'Added', { user_id: 'u4' })])).toEqual([
    'user_id:u4 entered: moved_on',
  ])
  const versions = await harness.warehouse.query(
    `select profile_id, superseded_because as because, superseded_by as batch
     from cohort_member_versions order by profile_id`,
  )
  expect(versions).toEqual([
    { profile_id: 'user_id:u1', because: 'progress', batch: 4 },
    { profile_id: 'user_id:u2', because: 'late_event', batch: 6 },
    { profile_id: 'user_id:u3', because: null, batch: null },
    { profile_id: 'user_id:u4', because: null, batch: null },
  ])
  const [first] = await harness.warehouse.query('select recorded_at from batches where batch = 2')
  const then = await harness.warehouse.query(
    `select profile_id from cohort_members_as_of(make_timestamptz(${first?.['recorded_at']}))`,
  )
  expect(then).toHaveLength(2)
  await harness.warehouse.close()
})

test('a merge or split of people changes members because of identity', async () => {
  const harness = begin([inCart])
  const a1 = { anonymous_id: 'a1' }
  await step(harness, [event('10:00', 'Added', a1)])
  expect(await step(harness, [event('10:10', 'Seen', { ...a1, ...u1 })])).toEqual([
    'anonymous_id:a1 left: identity',
    'user_id:u1 entered: identity',
  ])
  const pair = ['user_id:u2', 'user_id:u1']
  const alias = { ...(JSON.parse(event('10:20', 'Seen', u2)) as object), alias: pair }
  expect(await step(harness, [event('10:15', 'Added', u2)])).toEqual([
    'user_id:u2 entered: moved_on',
  ])
  expect(await step(harness, [JSON.stringify(alias)])).toEqual(['user_id:u2 left: identity'])
  const unlink = { ...(JSON.parse(event('10:30', 'Seen', u2)) as object), unlink: pair }
  expect(await step(harness, [JSON.stringify(unlink)])).toEqual(['user_id:u2 entered: identity'])
  await harness.warehouse.close()
})

test('a run without news commits nothing, and does not affect later batches', async () => {
  const harness = begin([inCart])
  await step(harness, [event('10:00', 'Added', u1)])
  const head = await harness.warehouse.open()
  expect(await runCohorts(harness.warehouse, head, [inCart])).toEqual({ runs: [], changes: [] })
  expect(await harness.warehouse.open()).toEqual(head)
  expect(await step(harness, [event('10:30', 'Seen', u1)])).toEqual([])
  expect(await harness.warehouse.query('select batch, origin from batches order by batch')).toEqual(
    [
      { batch: 1, origin: 'test' },
      { batch: 2, origin: 'cohort run' },
      { batch: 3, origin: 'test' },
      { batch: 4, origin: 'cohort run' },
    ],
  )
  await harness.warehouse.close()
})

test('a changed cohort needs a new version, and its changes are marked as redefined', async () => {
  const harness = begin([inCart])
  await step(harness, [event('10:00', 'Added', u1)])
  const changed: Cohort = { ...inCart, who: { journey: 'order', reached: 'paid' } }
  await expect(step(harness, [], [changed])).rejects.toThrow(
    'cohort in_cart version 1 is already recorded with other content: undo the change, or set its ' +
      'version to 2',
  )
  expect(await step(harness, [], [{ ...changed, version: 2 }])).toEqual([
    'user_id:u1 left: redefined',
  ])
  expect(
    await harness.warehouse.query(
      `select id, version, action from releases where kind = 'cohort'
       order by version`,
    ),
  ).toEqual([
    { id: 'in_cart', version: 1, action: 'registered' },
    { id: 'in_cart', version: 2, action: 'registered' },
  ])
  await harness.warehouse.close()
})

const command = startCommands()

/** Returns a command runner with its own definitions and one warehouse. */
function commands() {
  const at = mkdtempSync(join(dir, 'definitions-'))
  const write = (name: string, definition: object) => {
    mkdirSync(join(at, name, '..'), { recursive: true })
    writeFileSync(join(at, name), `export default ${JSON.stringify(definition)}\n`)
  }
  write('journeys/order.ts', order)
  write('cohorts/in_cart.ts', inCart)
  const path = join(at, 'w.duckdb')
  const run = async (script: string, args: string[], input = '') => {
    const options = ['--warehouse', `duckdb:${path}`]
    if (script !== 'funnel') options.push('--definitions', at)
    const { status, stdout, stderr } = await command(script, [...args, ...options], input)
    return { status, out: stdout, err: stderr }
  }
  return { run, write, path }
}

test('npm run cohort runs, lists, shows and finds members', async () => {
  const { run, write, path } = commands()
  const feed = (...lines: string[]) => run('start', ['-'], lines.join('\n'))
  expect((await run('cohort', ['run'])).err).toMatch(/^error: no warehouse at /)
  const empty = duckdbWarehouse(path)
  await empty.open()
  await empty.close()
  expect((await run('cohort', ['run'])).err).toMatch(
    / contains no events; load some: npm start -- --warehouse duckdb:\S+ --definitions \S+ FILE$/,
  )
  expect((await feed(event('10:00', 'Added', u1), event('10:00', 'Added', u2))).status).toBe(0)
  expect((await run('cohort', ['list'])).out).toBe('in_cart  never run\n')
  const never = { cohort: 'in_cart', members: null, evaluatedAt: null }
  expect(JSON.parse((await run('cohort', ['list', '--json'])).out)).toEqual(never)
  expect((await run('cohort', ['run'])).out).toBe(
    'in_cart: 2 members as of 2026-03-01T10:00:00.000000Z\n  entered 2: 2 first_run (first run of this cohort)\n',
  )
  expect((await run('cohort', ['run'])).out).toBe('nothing was committed since the last run\n')
  write('cohorts/bought.ts', { id: 'bought', who: { journey: 'order', reached: 'paid' } })
  expect((await feed(event('10:30', 'Paid', u2))).status).toBe(0)
  expect((await run('cohort', ['run'])).out).toBe(
    'bought: 1 member as of 2026-03-01T10:30:00.000000Z\n  entered 1: 1 first_run (first run of this cohort)\n' +
      'in_cart: 1 member as of 2026-03-01T10:30:00.000000Z\n  left    1: 1 moved_on (events or time since the last run)\n',
  )
  expect((await run('cohort', ['members', 'bought'])).out).toBe('user_id:u2\n')
  const then = ['members', 'in_cart', '--at', '2026-03-01T10:00:00Z', '--json']
  expect((await run('cohort', then)).out).toBe(
    '{"cohort":"in_cart","profile_id":"user_id:u1"}\n' +
      '{"cohort":"in_cart","profile_id":"user_id:u2"}\n',
  )
  const shown = await run('cohort', ['show', 'in_cart'])
  expect(shown.out).toContain('shares 0 with bought (0 % of its own)')
  const funnel = ['--steps', 'Added, Paid', '--json', '--cohort']
  const { steps } = JSON.parse((await run('funnel', [...funnel, 'bought'])).out) as {
    steps: { reached: number }[]
  }
  expect(steps.map(({ reached }) => reached)).toEqual([1, 1])
  expect(await run('funnel', [...funnel, 'lost'])).toMatchObject({
    status: 2,
    err:
      'error: --cohort lost has not been run in this warehouse; cohorts with a run: bought, in_cart; to run it: ' +
      `npm run cohort -- run lost --warehouse duckdb:${path}`,
  })
})

test('reports what is wrong with a query', async () => {
  const { run, write } = commands()
  expect((await run('start', ['-'], event('10:00', 'Added', u1))).status).toBe(0)
  const wrong = (...args: string[]) => run('cohort', args)
  expect(await wrong('members', 'lost')).toMatchObject({
    status: 2,
    err: 'error: cohort "lost" is not defined; the cohorts are: in_cart',
  })
  expect(await wrong('members', 'in_cart', '--at', '2026-03-02T00:00:00Z')).toMatchObject({
    status: 2,
    err:
      'error: --at 2026-03-02T00:00:00.000000Z is after the watermark, ' +
      '2026-03-01T10:00:00.000000Z: use an earlier instant',
  })
  expect((await wrong('members', 'in_cart', '--as-of', '2026-03-01T00:00:00Z')).err).toMatch(
    /had no events at 2026-03-01T00:00:00.000000Z$/,
  )
  write('cohorts/odd.ts', { id: 'odd', who: { journey: 'order', reached: 'lost' } })
  expect((await wrong('run')).err).toContain(
    'cohorts/odd.ts: who: reached "lost" is not a state of order; write one of cart, paid',
  )
})
