/** `npm run explain`: the explanation agrees with the tables, now and as of an instant. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { explainProfile, type ProfileExplanation } from '../../pipeline/query/explain.ts'
import { arrivals, eventStream, identity, journey, sessions } from '../support/arbitraries.ts'
import { startCommands } from '../support/commands.ts'
import { Harness, lineOf } from '../support/dump.ts'
import { ndjsonOf, type ShortEvent } from '../support/short-events.ts'

const LATER = 3_600_000_000

test('explanations have the transitions and rejections of the tables, for random histories', async () => {
  const scene = fc
    .record({ events: eventStream, identity, sessions, journey })
    .chain((parts) => fc.record({ parts: fc.constant(parts), batches: arrivals(parts.events) }))
  await fc.assert(
    fc.asyncProperty(scene, async ({ parts, batches }) => {
      const harness = new Harness(makeDefinitions({ ...parts, journeys: [parts.journey] }))
      for (const batch of batches) await harness.feed(batch.map(lineOf))
      const last = Math.max(...parts.events.map((event) => event.occurred_at))
      await harness.feed([], last + LATER)
      const { warehouse } = harness
      for (const { profile_id: id } of await warehouse.query(
        'select distinct profile_id from event_profiles',
      )) {
        const profileId = id as string
        const story = await explainProfile({ warehouse, profileId, asOf: null, journey: null })
        const moves = await warehouse.query(
          `select instance_id || ' ' || coalesce(from_state, '') || ' ' || to_state || ' ' ||
             epoch_us(occurred_at) as move from transitions where profile_id = ?`,
          [profileId],
        )
        expect(movesOf(story)).toEqual(moves.map(({ move }) => move).sort())
        const refused = await warehouse.query(
          'select event_id from rejections where profile_id = ?',
          [profileId],
        )
        expect(refusedIn(story)).toEqual(refused.map((row) => row['event_id']).sort())
      }
      await warehouse.close()
    }),
    { numRuns: 12 },
  )
})

function movesOf({ steps, since }: ProfileExplanation): string[] {
  return [...steps.flatMap(({ outcomes }) => outcomes), ...since]
    .filter(({ to }) => to !== null)
    .map(({ instanceId, from, to, at }) => `${instanceId} ${from ?? ''} ${to} ${at}`)
    .sort()
}

const refusedIn = ({ steps }: ProfileExplanation) =>
  steps
    .flatMap(({ eventId, outcomes }) => outcomes.map(({ kind }) => ({ eventId, kind })))
    .filter(({ kind }) => kind === 'refused')
    .map(({ eventId }) => eventId)
    .sort()

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))
mkdirSync(join(dir, 'definitions', 'journeys'), { recursive: true })
writeFileSync(
  join(dir, 'definitions', 'journeys', 'buy.js'),
  `export default { id: 'buy', version: 1, initial: 'cart', startOn: ['Added'], states: {
     cart: { on: { Paid: { target: 'paid', guard: { property: 'value', gte: 10 } } },
       after: { '24h': 'left' } },
     left: { on: { Added: 'cart' } }, paid: { type: 'final' } } }`,
)

const command = startCommands()
const run = (script: string, args: string[], input = '') =>
  command(script, ['--warehouse', `duckdb:${dir}/w.duckdb`, ...args], input)

async function feed(...events: ShortEvent[]): Promise<void> {
  const args = ['--definitions', join(dir, 'definitions'), '-']
  const result = await run('start', args, ndjsonOf(events))
  expect(result).toMatchObject({ status: 0 })
}

test('prints guards with their values, links, pending timeouts and corrections', async () => {
  const phone = { anonymous_id: 'a1' }
  await feed(['e1', 'Added', '10:00', phone], ['e3', 'Paid', '10:10', phone, 5])
  const before = (await run('explain', ['--user', 'anonymous_id:a1', '--json'])).stdout
  expect(JSON.parse(before)).toMatchObject({ profileId: 'anonymous_id:a1', corrections: [] })
  await feed(['e2', 'Seen', '10:05', { ...phone, user_id: 'u1' }])
  const { stdout } = await run('explain', ['--user', 'u1'])
  expect(stdout).toContain('refused in cart  (to paid: value at least 10 not met, it was 5)')
  expect(stdout).toContain('linked to user_id:u1 2026-03-01 10:05:00 by e2 (Seen)')
  expect(stdout).toContain('2026-03-02 10:00:00  buy: timeout of cart')
  expect(stdout).toMatch(/identity, batch 2 of .*, with e2 \(Seen, 2026-03-01 10:05:00\)/)
  expect(stdout).toContain('taken back: e1 was of anonymous_id:a1')
  const story = JSON.parse(
    (await run('explain', ['--user', 'u1', '--json'])).stdout,
  ) as ProfileExplanation
  const asOf = formatInstant((story.corrections[0]?.at ?? 0) - 1)
  expect(await run('explain', ['--user', 'u1', '--as-of', asOf])).toMatchObject({ status: 1 })
  const then = await run('explain', ['--user', 'anonymous_id:a1', '--as-of', asOf, '--json'])
  const believed = JSON.parse(then.stdout) as ProfileExplanation
  expect(believed.profileId).toBe('anonymous_id:a1')
  expect(believed.steps.map(({ eventId }) => eventId)).toEqual(['e1', 'e3'])
})

test('reports an unknown user and an unknown journey', async () => {
  expect(await run('explain', [])).toMatchObject({ status: 2 })
  const nobody = await run('explain', ['--user', 'nobody'])
  expect(nobody.stderr).toContain('--user nobody matches no profile')
  const journey = await run('explain', ['--user', 'u1', '--journey', 'sale'])
  expect(journey).toMatchObject({ status: 2 })
  expect(journey.stderr).toContain('--journey sale is not on record; the journeys are: buy')
  expect((await run('explain', ['--help'])).stdout).toContain('--as-of')
})
