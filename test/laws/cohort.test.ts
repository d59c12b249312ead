/**
 * Cohorts on random people, journeys and arrivals, at random instants of event time and knowledge
 * time: the command finds the members that a slow reference finds, and the run facts add up to
 * them.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CohortCondition } from '../../pipeline/definition/cohort.ts'
import { cohortMembers, runCohorts } from '../../pipeline/query/run-cohorts.ts'
import { checkCohort } from '../../pipeline/definition/check/check-cohort.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { arrivals, eventStream, identity, journey } from '../support/arbitraries.ts'
import { Harness, lineOf } from '../support/dump.ts'
import { cohortTables, slowMembers } from '../reference/cohort.ts'
import { isLong, runsOf } from '../support/long.ts'

/** Long enough for people to enter, leave and be corrected. */
fc.configureGlobal({ baseSize: 'medium' })
const RUNS = runsOf('COHORT_RUNS', 6, 15)
const SEED = Number(process.env['COHORT_SEED'] ?? 5)
const TIME_MAX_MS = 300_000
const HOUR = 3_600_000_000

const state = fc.constantFrom('s0', 's1', 's2', 's3', 'done')
const duration = fc.constantFrom('10m', '30m', '2h')
const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 })
const path = fc
  .uniqueArray(fc.constantFrom('s0', 's1', 's2', 's3'), { minLength: 1, maxLength: 3 })
  .map((states) => [...states, states[0]].join(' > '))
const times = fc.constantFrom({ gte: 2 }, { eq: 0 }, { gt: 0, lte: 2 }, { lt: 3 })
const of = {
  journey: fc.constant('j'),
  where: option(fc.constantFrom({ property: 'v', eq: 1 }, { field: 'source' as const, eq: 'web' })),
  afterCycle: fc.option(path, { nil: undefined, freq: 4 }),
}

const question: fc.Arbitrary<CohortCondition> = fc
  .oneof(
    fc.record({ ...of, reached: state, times: option(times), within: option(duration) }),
    fc.record({ ...of, cycled: path, times: option(times), within: option(duration) }),
    fc.record({ ...of, in: state, dwell: option(duration.map((gte) => ({ gte }))) }),
    fc.record({
      ...of,
      inOrder: fc.array(state, { minLength: 2, maxLength: 3 }),
      within: option(duration),
      span: option(duration),
    }),
  )
  .map((one) => JSON.parse(JSON.stringify(one)) as CohortCondition)

const who: fc.Arbitrary<CohortCondition> = fc.oneof(
  question,
  question.map((not) => ({ not })),
  fc.tuple(question, question).map((all) => ({ all: [all[0], { not: all[1] }] })),
  fc.array(question, { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
)

const scene = fc
  .record({
    events: eventStream,
    identity,
    journey,
    who: fc.array(who, { minLength: 6, maxLength: 9 }),
  })
  .chain((parts) =>
    fc.record({
      parts: fc.constant(parts),
      batches: arrivals(parts.events),
      back: fc.array(fc.integer({ min: 0, max: 5 * HOUR }), { minLength: 2, maxLength: 2 }),
    }),
  )

test(
  'members at any event time and knowledge time equal the slow reference',
  async () => {
    const sizes = new Set<number>()
    await fc.assert(
      fc.asyncProperty(scene, async ({ parts, batches, back }) => {
        const definitions = makeDefinitions({ ...parts, journeys: [parts.journey] })
        const harness = new Harness(definitions)
        const known: { believedAt: number; watermark: number }[] = []
        for (const batch of batches) {
          await harness.feed(batch.map(lineOf))
          const { recordedAt, watermark } = (await harness.pipeline()).head
          if (watermark !== null) known.push({ believedAt: recordedAt, watermark })
        }
        for (const then of [known.at(-1), known[Math.floor(known.length / 2)]]) {
          if (then === undefined) continue
          const { believedAt, watermark } = then
          const tables = await cohortTables(harness.warehouse, believedAt)
          for (const [i, one] of parts.who.entries()) {
            expect(checkCohort('c', { id: 'c', who: one }, definitions.journeys)).toEqual([])
            const at = watermark - (back[i % back.length] as number)
            const instants = { at, believedAt }
            const found: string[] = []
            const members = cohortMembers(harness.warehouse, { id: 'c', who: one }, instants)
            for await (const profile of members) found.push(profile)
            const expected = slowMembers(tables, one, at)
            expect({ one, at, found: found.toSorted() }).toEqual({ one, at, found: expected })
            sizes.add(found.length)
          }
        }
        await harness.warehouse.close()
      }),
      { numRuns: RUNS, seed: SEED },
    )
    if (isLong) expect([...sizes]).toEqual(expect.arrayContaining([0, 1, 2, 3]))
  },
  TIME_MAX_MS,
)

test(
  'run facts add up to the members, and a run without news adds none',
  async () => {
    const reasons = new Set<string>()
    await fc.assert(
      fc.asyncProperty(scene, async ({ parts, batches }) => {
        const cohorts = parts.who.map((one, i) => ({ id: `c${i}`, who: one }))
        const definitions = makeDefinitions({ ...parts, journeys: [parts.journey], cohorts })
        const harness = new Harness(definitions)
        const { warehouse } = harness
        const standing = new Set<string>()
        let before: number | null = null
        const arrived = batches.flat()
        for (let from = 0; from < arrived.length; from += 3) {
          await harness.feed(arrived.slice(from, from + 3).map(lineOf))
          const head = await warehouse.open()
          harness.restart()
          if (head.watermark === null) continue
          const { changes } = await runCohorts(warehouse, head, definitions.cohorts)
          for (const { cohort, profileId, change, reason } of changes) {
            const fact = `${cohort} ${profileId}`
            expect(standing.has(fact)).toBe(change === 'left')
            if (change === 'left') standing.delete(fact)
            else standing.add(fact)
            reasons.add(`${change} ${reason}`)
          }
          const believedAt = (await warehouse.open()).recordedAt
          const tables = await cohortTables(warehouse, believedAt)
          for (const { cohort, profileId, change, reason } of before === null ? [] : changes) {
            const asked = cohorts.find(({ id }) => id === cohort)?.who as CohortCondition
            const wasOne = slowMembers(tables, asked, before as number).includes(profileId)
            expect(reason === 'moved_on').toBe(wasOne === (change === 'left'))
          }
          before = head.watermark
          const again = await runCohorts(warehouse, await warehouse.open(), definitions.cohorts)
          expect({ ...again }).toEqual({ runs: [], changes: [] })
          const expected = cohorts.flatMap(({ id, who: one }) =>
            slowMembers(tables, one, head.watermark as number).map((profile) => `${id} ${profile}`),
          )
          expect([...standing].sort()).toEqual(expected.sort())
          const kept = await warehouse.query('select cohort, profile_id from cohort_members')
          expect(kept.map((row) => `${row['cohort']} ${row['profile_id']}`).sort()).toEqual(
            expected,
          )
        }
        await warehouse.close()
      }),
      { numRuns: 2 * RUNS, seed: SEED },
    )
    const told = ['first_run', 'moved_on', 'corrected', 'identity']
    const expected = told.flatMap((reason) => [`entered ${reason}`, `left ${reason}`])
    const possible = expected.filter((one) => one !== 'left first_run')
    if (isLong) expect([...reasons].sort()).toEqual(possible.sort())
  },
  TIME_MAX_MS,
)
