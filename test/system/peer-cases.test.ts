/**
 * Worked cases of other engines: sessions (Beam, Spark, RisingWave, Bytewax, duckdb-behavioral),
 * identity (Amplitude, Mixpanel, PostHog), statecharts (scion's SCXML suite), absence (Siddhi).
 * Skipped if they are not beside the checkout. Each case that is left out has a reason.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile } from '../../pipeline/definition/compile.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { Texts } from '../../pipeline/base/texts.ts'
import { Events } from '../../pipeline/stages/events.ts'
import { Facts } from '../../pipeline/stages/journey-facts.ts'
import { Fold } from '../../pipeline/stages/fold-journeys.ts'
import { freshProfile } from '../../pipeline/stages/instance.ts'
import { IDENTITY_DEFAULT, SESSIONS_DEFAULT } from '../../pipeline/definition/settings.ts'
import type { Journey, State, Track } from '../../pipeline/definition/journey.ts'
import { Harness } from '../support/dump.ts'

const DATA = process.env['DESIRE_PATH_SHARED'] ?? '../shared/data'
const START = 1_772_359_200_000
const HOUR = 3_600_000

function casesOf<T>(name: string): T[] {
  const file = join(DATA, name, 'cases.json')
  if (!existsSync(file)) {
    console.log(`skipped: no ${name} cases at ${DATA}`)
    return []
  }
  const parsed = JSON.parse(readFileSync(file, 'utf8')) as T[] | { cases: T[] }
  return Array.isArray(parsed) ? parsed : parsed.cases
}

/** Runs the cases without a reason to leave them out, and logs those that are left out. */
function each<T>(
  what: string,
  cases: T[],
  name: (one: T) => string,
  parts: {
    leftOut: (one: T) => string | null
    holds: (one: T) => void | Promise<void>
  },
): void {
  describe.skipIf(cases.length === 0)(what, () => {
    for (const [i, one] of cases.entries()) {
      const reason = parts.leftOut(one)
      const title = `${i}: ${name(one)}`
      if (reason === null) test(title, () => parts.holds(one))
      else test.skip(`${title}: ${reason}`, () => undefined)
    }
  })
}

/** Returns which items are grouped together, independent of group names. */
function together(groups: unknown[]): number[] {
  return groups.map((group) => groups.indexOf(group))
}

const line = (id: number, atMs: number, identifiers: object, more: object = {}) =>
  JSON.stringify({ event_id: `e${id}`, name: 'Seen', occurred_at: atMs, identifiers, ...more })

async function belonging(harness: Harness, column: string, ids: number[]): Promise<unknown[]> {
  const rows = await harness.warehouse.query(`select event_id, ${column} as it from event_profiles`)
  const of = new Map(rows.map((row) => [row['event_id'], row['it']]))
  await harness.warehouse.close()
  return ids.map((id) => of.get(`e${id}`))
}

type SessionCase = {
  suite: string
  case: string
  gap: number | null
  join: 'lt' | 'le'
  steps: { events?: { id: number; key: string; ts: number | null }[] }[]
  expected_final: { key: string; ids: number[] }[]
  expected_dropped_ids: number[]
}

each('sessions', casesOf<SessionCase>('sessions-peers'), (c) => `${c.suite} ${c.case}`, {
  leftOut: (c) => {
    if (c.gap === null) return 'each row has a gap of its own, ours is one for all'
    if (c.expected_dropped_ids.length > 0) return 'drops late events, which we derive again'
    if (c.steps.some(({ events = [] }) => events.some(({ ts }) => ts === null))) {
      return 'an event without a time is a dead letter here'
    }
    const finals = c.expected_final.flatMap(({ ids }) => ids)
    const given = c.steps.flatMap(({ events = [] }) => events.map(({ id }) => id))
    if (new Set(given).size !== given.length) return 'one event has one id here'
    return finals.length === given.length ? null : 'its windows close for good, ours do not'
  },
  holds: async (c) => {
    const gapMs = (c.gap as number) - (c.join === 'lt' ? 1 : 0)
    const harness = new Harness(makeDefinitions({ sessions: { gap: `${gapMs}ms` } }))
    const times = c.steps.flatMap(({ events = [] }) => events.map(({ ts }) => ts as number))
    // Times that start at zero would be refused, because they look like seconds.
    const origin = Math.max(...times) < START / 2 ? START : 0
    for (const { events = [] } of c.steps) {
      const lines = events.map(({ id, key, ts }) =>
        line(id, origin + (ts as number), { anonymous_id: `key-${key}` }),
      )
      await harness.feed(lines)
    }
    const ids = c.expected_final.flatMap((session) => session.ids)
    const sessionOf = (id: number) => c.expected_final.findIndex((s) => s.ids.includes(id))
    const ours = await belonging(harness, 'session_id', ids)
    expect(together(ours)).toEqual(together(ids.map(sessionOf)))
  },
})

type DocsCase = {
  case: string
  events: { n: number; device: string; user: string | null }[]
  expected_final: unknown[]
}

each('identity of Amplitude and Mixpanel', casesOf<DocsCase>('identity-docs'), (c) => c.case, {
  leftOut: () => null,
  holds: async (c) => {
    const harness = new Harness(makeDefinitions({}))
    for (const { n, device, user } of c.events) {
      await harness.feed([line(n, START + n * HOUR, { anonymous_id: device, user_id: user })])
    }
    const ours = await belonging(
      harness,
      'profile_id',
      c.events.map(({ n }) => n),
    )
    expect(together(ours)).toEqual(together(c.expected_final))
  },
})

type HogEvent = {
  event?: string
  distinct_id?: string
  alias?: string
  $anon_distinct_id?: string
  create_person?: string[]
}
type HogCase = {
  case: string
  existing_persons?: { distinct_ids: string[]; is_identified?: boolean }[]
  events: HogEvent[]
  expected_persons: { distinct_ids: string[] }[]
}

each('identity of PostHog', casesOf<HogCase>('identity-posthog'), (c) => c.case, {
  leftOut: (c) =>
    (c.existing_persons ?? []).some((person) => person.is_identified) ||
    c.events.some((event) => event.event === undefined && event.create_person === undefined)
      ? 'tells identified from anonymous persons by a flag; here only exclusive values part people'
      : null,
  holds: async (c) => {
    const lines: string[] = []
    const say = (id: string, alias?: string) =>
      lines.push(
        line(
          lines.length,
          START + lines.length,
          { user_id: id },
          alias === undefined ? {} : { alias: [`user_id:${id}`, `user_id:${alias}`] },
        ),
      )
    const known = (c.existing_persons ?? []).map(({ distinct_ids }) => distinct_ids)
    for (const event of c.events)
      if (event.create_person !== undefined) known.push(event.create_person)
    for (const [first = '', ...others] of known) {
      say(first)
      for (const other of others) say(first, other)
    }
    for (const event of c.events) {
      if (event.distinct_id === undefined) continue
      say(event.distinct_id, event.alias ?? event.$anon_distinct_id)
    }
    const everybody = c.expected_persons.flatMap(({ distinct_ids }) => distinct_ids)
    for (const id of everybody) say(id)
    const harness = new Harness(makeDefinitions({}))
    await harness.feed(lines)
    const rows = await harness.warehouse.query(`select value, profile_id from identities`)
    await harness.warehouse.close()
    const of = new Map(rows.map((row) => [row['value'], row['profile_id']]))
    const expected = everybody.map((id) =>
      c.expected_persons.findIndex(({ distinct_ids }) => distinct_ids.includes(id)),
    )
    expect(together(everybody.map((id) => of.get(id)))).toEqual(together(expected))
  },
})

type Chart = {
  type: string
  id?: string
  initial?: string[]
  states?: Chart[]
  transitions?: { event: string | null; target: string[] | null; cond: string | null }[]
}
type ChartCase = {
  name: string
  features: string[]
  machine: Chart
  initialConfiguration: string[]
  events: { event: { name: string }; nextConfiguration: string[] }[]
}

const isFlat = ({ states = [] }: Chart) =>
  states.every((state) => (state.states ?? []).length === 0)

/** Returns the tracks of a chart, or the reason why it cannot be converted. */
function tracksOf({ machine, features }: ChartCase): [string, Chart][] | string {
  const unknown = features.filter((feature) => feature !== 'parallel')
  if (unknown.length > 0) return `has ${unknown.join(', ')}; journeys are flat data`
  if (isFlat(machine)) return [['main', machine]]
  const [only, ...others] = machine.states ?? []
  const regions = only?.states ?? []
  if (only?.type !== 'parallel' || others.length > 0) return 'has nested states; journeys are flat'
  if (!regions.every(isFlat) || regions.some(({ states }) => (states ?? []).length === 0)) {
    return 'has nested states; journeys are flat'
  }
  const names = regions.flatMap(({ states }) => (states ?? []).map(({ id }) => id))
  const targets = regions.flatMap(({ states = [] }) =>
    states.flatMap(({ transitions = [] }) => transitions.flatMap(({ target }) => target ?? [])),
  )
  if (!targets.every((target) => names.includes(target))) return 'leaves its tracks'
  return regions.map((region): [string, Chart] => [region.id ?? '', region])
}

function trackOf({ initial, states = [] }: Chart): Track {
  return {
    initial: initial?.[0] ?? states[0]?.id ?? '',
    states: Object.fromEntries(
      states.map(({ id, transitions = [] }): [string, State] => {
        const on: NonNullable<State['on']> = {}
        for (const { event, target } of transitions) {
          const name = event as string
          on[name] = [...((on[name] ?? []) as string[]), ...(target ?? [])]
        }
        return [id ?? '', { on }]
      }),
    ),
  }
}

each('statecharts of scion', casesOf<ChartCase>('statechart-scion'), (c) => c.name, {
  leftOut: (c) => {
    const tracks = tracksOf(c)
    if (typeof tracks === 'string') return tracks
    const ways = tracks.flatMap(([, { states = [] }]) => states.flatMap((s) => s.transitions ?? []))
    if (ways.some(({ event }) => event === null || /[*. ]/.test(event))) {
      return 'matches events by prefix or wildcard'
    }
    return ways.some(({ target }) => target?.length !== 1) ? 'has many targets or none' : null
  },
  holds: (c) => {
    const tracks = tracksOf(c) as [string, Chart][]
    const head = { id: 'j', version: 1, startOn: ['begin'] }
    const journey = (
      tracks.length === 1
        ? { ...head, ...trackOf((tracks[0] as [string, Chart])[1]) }
        : {
            ...head,
            type: 'parallel',
            states: Object.fromEntries(tracks.map(([n, t]) => [n, trackOf(t)])),
          }
    ) as Journey
    const names = ['begin', ...c.events.map(({ event }) => event.name)]
    const configurations = walk(
      journey,
      names.map((name, i) => ({ name, atMs: i })),
    )
    expect(configurations.map((states) => states.toSorted())).toEqual([
      c.initialConfiguration.toSorted(),
      ...c.events.map(({ nextConfiguration }) => nextConfiguration.toSorted()),
    ])
  },
})

type Happening = { name: string; atMs: number; price?: number }

/** Returns the states after each event of one profile, from the fold only. */
function walk(journey: Journey, happenings: Happening[], untilMs = 0): string[][] {
  const parts = { identity: IDENTITY_DEFAULT, sessions: SESSIONS_DEFAULT, journeys: [journey] }
  const { machines, eventCodes, operandPaths } = compile(parts)
  const operands = operandPaths.length
  const events = new Events({ texts: new Texts(), eventCodes, namespaces: 0, operands })
  for (const [row, { name, atMs, price }] of happenings.entries()) {
    const place = { eventId: `e${row}`, occurredAt: atMs * 1_000, ordinal: row }
    events.add({ ...place, name, source: 'web', operands: operandPaths.map(() => price) })
  }
  const state = freshProfile(machines)
  const fold = new Fold(machines, events, new Facts())
  return [...happenings.keys(), -1].flatMap((row) => {
    fold.run('p', state, row < 0 ? [] : [row], row < 0 ? untilMs * 1_000 : null)
    if (row < 0 && untilMs === 0) return []
    const [instances] = state.instances
    const instance = instances?.all[0]
    return [(instance?.tracks ?? []).map((t, i) => machines[0]?.tracks[i]?.states[t.state] ?? '')]
  })
}

type AbsentCase = {
  test: string
  query: string
  events: { t_ms: number; row: [string, number, number]; stream: string }[]
  expected_count: number
}

const ABSENT =
  /from e1=Stream1\[price>20\] -> not Stream2\[price>e1\.price\] for 1 sec select e1\.symbol/

each('absence of Siddhi', casesOf<AbsentCase>('patterns-siddhi'), (c) => c.test, {
  leftOut: (c) =>
    ABSENT.test(c.query) ? null : 'has several patterns in one; a journey is a machine',
  holds: (c) => {
    const first = c.events.find(({ stream }) => stream === 'Stream1')?.row[1] ?? 0
    const journey: Journey = {
      id: 'absent',
      version: 1,
      initial: 'idle',
      states: {
        idle: { on: { Stream1: { target: 'waiting', guard: { property: 'price', gt: 20 } } } },
        waiting: {
          on: { Stream2: { target: 'broken', guard: { property: 'price', gt: first } } },
          after: { '1s': 'matched' },
        },
        matched: { type: 'final' },
        broken: { type: 'final' },
      },
    }
    const happenings = c.events.map(({ t_ms, row, stream }) => ({
      name: stream,
      atMs: t_ms,
      price: row[1],
    }))
    const [last] = walk(journey, happenings, 60_000).at(-1) ?? []
    expect(last === 'matched' ? 1 : 0).toBe(c.expected_count)
  },
})
