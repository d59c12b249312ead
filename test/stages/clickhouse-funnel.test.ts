/**
 * `semantics: 'clickhouse'` compared with ClickHouse's `windowFunnel` in a process, on random
 * histories whose steps are distinct events and on the cases of ClickHouse's own tests.
 */

import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type ClickhouseMode,
  type EventFunnel,
  type EventStep,
  CLICKHOUSE_MODES,
} from '../../pipeline/definition/funnel.ts'
import type { Json } from '../../pipeline/base/json.ts'
import {
  FunnelBench,
  type StoredAttempt,
  type GivenEvent,
} from '../support/histories/funnel-history.ts'
import { peer } from '../support/peers.ts'
import { runsOf } from '../support/long.ts'

type Chdb = { query(sql: string, format: string): unknown }

const SUBSETS = 2 ** CLICKHOUSE_MODES.length
const RUNS = runsOf('CLICKHOUSE_RUNS', 50, 150)
const NAMES = ['a', 'b', 'c', 'd', 'x']

/** ClickHouse refuses `allow_reentry` without `strict_order`. */
const combinations = Array.from({ length: SUBSETS }, (_, bits) =>
  CLICKHOUSE_MODES.filter((_, mode) => (bits >> mode) & 1),
).filter((modes) => !modes.includes('allow_reentry') || modes.includes('strict_order'))

function funnelOf(steps: number, within: number, modes: ClickhouseMode[]): Omit<EventFunnel, 'id'> {
  return {
    steps: NAMES.slice(0, steps),
    within: `${within}s`,
    semantics: { clickhouse: modes },
  }
}

/** Returns the level of the profile: the number of steps in its attempt. */
function levelOf([attempt]: StoredAttempt[]): number {
  return attempt === undefined ? 0 : attempt.text.split(' ').length - 1
}

const SECOND = 1_000_000

test('returns the levels of windowFunnel on random histories', () => {
  const chdb = peer<Chdb>('chdb')
  if (chdb === null) return
  const history = fc.record({
    steps: fc.integer({ min: 1, max: 4 }),
    within: fc.integer({ min: 1, max: 12 }),
    events: fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.constantFrom(...NAMES)), {
      minLength: 1,
      maxLength: 24,
    }),
  })
  let compared = 0
  fc.assert(
    fc.property(history, ({ steps, within, events }) => {
      const given = events.map(([at, name], i): GivenEvent => ({
        id: `e${i}`,
        name,
        at: at * SECOND,
      }))
      const conditions = NAMES.slice(0, steps).map((name) => `name = '${name}'`)
      const levels = combinations.map((modes) => {
        const parameters = [within, ...modes.map((mode) => `'${mode}'`)].join(', ')
        return `windowFunnel(${parameters})(at, ${conditions.join(', ')})`
      })
      const rows = events.map(([at, name]) => `(${at}, '${name}')`).join(', ')
      const from = `values('at UInt64, name String', ${rows})`
      const text = String(chdb.query(`select [${levels.join(', ')}] as l from ${from}`, 'JSON'))
      const theirs = (JSON.parse(text) as { data: [{ l: number[] }] }).data[0].l
      const ours = combinations.map((modes) => {
        const bench = new FunnelBench(funnelOf(steps, within, modes), given)
        const attempts = bench.inOneGo(20 * SECOND)
        expect(bench.continued(20 * SECOND)).toEqual(attempts)
        return levelOf(attempts)
      })
      compared += combinations.length
      expect(ours).toEqual(theirs)
    }),
    { numRuns: RUNS },
  )
  console.log(`${compared} levels compared with ClickHouse`)
})

const DATA = process.env['DESIRE_PATH_SHARED'] ?? '../shared/data'
const CASES = `${DATA}/funnel-clickhouse/cases.json`

type Case = {
  function: string
  params: (number | string)[]
  args: string[]
  group_by: string | null
  where: string | null
  rows: { [column: string]: Json }[]
  expected: number | [number, number][]
}

test('returns the expected levels of ClickHouse’s own test cases', () => {
  if (!existsSync(CASES)) return console.log('skipped: no shared data')
  const { cases } = JSON.parse(readFileSync(CASES, 'utf8')) as { cases: Case[] }
  const funnels = cases.filter((one) => one.function === 'windowFunnel')
  funnels.forEach((one, number) => {
    expect({ number, levels: levelsOf(one) }).toEqual({ number, levels: expectedOf(one) })
  })
  const others = cases.length - funnels.length
  console.log(`${funnels.length} cases compared; ${others} left out: they ask for retention`)
  expect(funnels.length).toBe(36)
})

/** Returns the level of each group. */
function levelsOf(one: Case): [Json, number][] {
  const [time = '', ...conditions] = one.args
  const [within, ...modes] = one.params as [number, ...ClickhouseMode[]]
  const steps = conditions.map(stepOf)
  const groups = new Map<Json, GivenEvent[]>()
  for (const row of one.rows) {
    if (one.where !== null && row['user'] !== 7) continue
    const group = one.group_by === null ? 0 : (row[one.group_by] ?? null)
    const given = groups.get(group) ?? []
    const id = String(given.length).padStart(3, '0')
    given.push({ id, name: 'row', at: secondsOf(row[time]) * SECOND, properties: row })
    groups.set(group, given)
  }
  // Windows longer than our longest one have the same effect as an unlimited one.
  const seconds = Math.min(within, 1_000_000_000)
  const funnel = { steps, within: `${seconds}s`, semantics: { clickhouse: modes } }
  return [...groups].map(([group, given]) => {
    const bench = new FunnelBench(funnel, given)
    return [group, levelOf(bench.inOneGo(Math.max(...given.map(({ at }) => at))))]
  })
}

function secondsOf(time: Json | undefined): number {
  if (typeof time === 'number') return time
  return Date.parse(`${String(time).replace(' ', 'T')}Z`) / 1_000
}

/** Converts a SQL condition of a case to a step. */
function stepOf(condition: string): EventStep {
  const parts = condition.split(' and ').map((part): NonNullable<EventStep['where']> => {
    const isNull = /^(\w+) is null$/.exec(part)
    if (isNull?.[1] !== undefined) return { property: isNull[1], exists: false }
    const match = /^(?:COALESCE\((\w+), ''\)|(\w+)) ?(=|<=|>=) ?(?:'(\w+)'|(\d+))$/.exec(part)
    if (match === null) throw new Error(`this test does not support the condition ${part}`)
    const [, coalesced, plain, operator, text, number] = match
    const operand = text ?? Number(number)
    const name = operator === '=' ? 'eq' : operator === '<=' ? 'lte' : 'gte'
    return { property: (coalesced ?? plain) as string, [name]: operand }
  })
  return { event: 'row', where: { all: parts } }
}

function expectedOf(one: Case): [Json, number][] {
  if (typeof one.expected === 'number') return [[0, one.expected]]
  // Two of the cases count users by level; each has one user.
  return one.group_by === 'user_id' ? one.expected.map(([level]) => [1, level]) : one.expected
}
