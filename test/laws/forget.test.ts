/**
 * Erasure on random histories. Afterwards the tables equal those of a warehouse that never had the
 * person's events, whatever arrives next. Events that arrive again are dropped. Rows of unrelated
 * people keep every timestamp.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { failedChecks } from '../../pipeline/warehouse/integrity-checks.ts'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { makeDefinitions, type Definitions } from '../../pipeline/definition/load.ts'
import { storageOf } from '../../pipeline/duckdb/stored-tables.ts'
import { forget } from '../../pipeline/operations/forget.ts'
import { encodePart } from '../../pipeline/base/hash.ts'
import { TABLES, type TableName, type TableSpec } from '../../pipeline/warehouse/tables.ts'
import { funnelled } from '../support/arbitraries-funnel.ts'
import { arrivals, eventStream, identity, sessions } from '../support/arbitraries.ts'
import { dump, Harness, landed, lineOf, sorted } from '../support/dump.ts'
import { reference, VIEWS, type AcceptedEvent } from '../reference/reference.ts'
import { runsOf } from '../support/long.ts'

const RUNS = runsOf('FORGET_RUNS', 2, 8)
/** Fixed seed; set LAW_SEED to search for failures. */
const SEED = Number(process.env['LAW_SEED'] ?? 5)

const bounded = (numRuns: number) => ({
  numRuns,
  seed: SEED,
  interruptAfterTimeLimit: 120_000,
})
const TIMEOUT = 300_000

const at = (n: number) => 1_900_000_000_000_000 + n

const scene = fc.record({ events: eventStream, identity, sessions, ...funnelled }).chain((parts) =>
  fc.record({
    parts: fc.constant(parts),
    batches: arrivals(parts.events),
    cuts: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 2 }),
    pick: fc.nat(),
  }),
)

function trimmed(event: AcceptedEvent): AcceptedEvent {
  const pairs = Object.entries(event.identifiers)
  return { ...event, identifiers: Object.fromEntries(pairs.map(([n, v]) => [n, v.trim()])) }
}

async function acceptedIds(harness: Harness): Promise<Set<string>> {
  const rows = await harness.warehouse.query('select event_id from events')
  return new Set(rows.map((row) => row['event_id'] as string))
}

/** Returns the events that an empty warehouse would accept. */
function acceptable(events: AcceptedEvent[], { identity: rules }: Definitions): AcceptedEvent[] {
  const options = { operandPaths: [], format: undefined, events: { events: {} }, hashKey: 'test' }
  const decoder = new ChunkDecoder({ identity: rules, ...options })
  const lines = events.map(lineOf).join('\n')
  const ids = new Set(decoder.decode(new TextEncoder().encode(lines), at(0)).eventId)
  return events.filter(({ event_id }) => ids.has(event_id)).map(trimmed)
}

/** Returns the identifiers that an event carries or corrects. */
function names({ identifiers, alias, unlink }: AcceptedEvent): string[] {
  const carried = Object.entries(identifiers).map(([namespace, value]) => `${namespace}:${value}`)
  return [...carried, ...(alias ?? []), ...(unlink ?? [])]
}

/** Erases one of the people. Returns the erased events by the documented rule. */
async function forgetOne(harness: Harness, events: AcceptedEvent[], pick: number, isKept = false) {
  const { warehouse, definitions } = harness
  const persons = await warehouse.query(
    "select namespace || ':' || value as name, profile_id from identities " +
      "where namespace in ('user_id', 'email') and value not like 'far-%' order by all",
  )
  const user = persons[pick % persons.length]
  if (user === undefined) return { gone: new Set<string>(), own: new Set<string>(), persons: [] }
  const before = await dump(warehouse)
  const who = { user: `${user['name']}`, isKept, at: at(0), hashKey: 'test' }
  const options = { warehouse, definitions, ...who }
  const plan = await forget({ ...options, isPlan: true })
  expect(await dump(warehouse)).toEqual(before)
  const done = await forget({ ...options, isPlan: false })
  expect(done.counts).toEqual(plan.counts)
  harness.restart()
  // Identifiers that only an alias named are the person's too.
  const own = new Set(done.person.persons)
  for (const { name, profile_id } of persons) {
    if (profile_id === user['profile_id']) expect(own).toContain(name)
  }
  const isHis = (event: AcceptedEvent) => names(event).some((name) => own.has(name))
  const ofProfile = new Set(
    (before['event_profiles'] ?? [])
      .filter((row) => row['profile_id'] === user['profile_id'])
      .map((row) => row['event_id']),
  )
  const gone = new Set(
    events
      .filter((event) => ofProfile.has(event.event_id) || isHis(event))
      .map(({ event_id }) => event_id),
  )
  const { devices } = done.person
  return { gone, persons: [...own], own: new Set([...own, ...devices]) }
}

/** Returns the tables, except the certificates, that still contain one of the texts. */
async function tablesWith({ warehouse }: Harness, texts: Iterable<string>): Promise<string[]> {
  const found: string[] = []
  const quoted = [...texts].flatMap((text) => [`"${text}"`, `/${encodePart(text)}"`])
  for (const table of Object.keys(TABLES) as TableName[]) {
    if (table === 'erasures') continue
    const rows = await warehouse.query(`select * from ${storageOf(table)}`)
    const text = JSON.stringify(rows).replaceAll('\\"', '"')
    for (const one of quoted) if (text.includes(one)) found.push(`${table}: ${one}`)
  }
  return found
}

test(
  'the tables equal those of the remaining events, also after further batches',
  async () => {
    let forgotten = 0
    let runs = 0
    await fc.assert(
      fc.asyncProperty(scene, async ({ parts, batches, cuts, pick }) => {
        const definitions = makeDefinitions({ ...parts, journeys: [parts.journey] })
        const harness = new Harness(definitions)
        const events = acceptable(parts.events, definitions)
        const expectLaw = async (to: number | null) => {
          const accepted = await acceptedIds(harness)
          const [head] = await harness.warehouse.query('select max(watermark) as at from batches')
          const remaining = events.filter((event) => accepted.has(event.event_id))
          const expected = reference(remaining, definitions, to ?? (head?.['at'] as number))
          const actual = await dump(harness.warehouse)
          for (const view of VIEWS) {
            const rows = sorted(expected[view] ?? [])
            expect({ view, rows: actual[view] }).toEqual({ view, rows })
          }
          expect((await failedChecks(harness.warehouse)).failed).toEqual([])
        }
        const gone = new Set<string>()
        const own = new Set<string>()
        runs += 1
        for (const cut of cuts) {
          for (const batch of batches.slice(0, cut)) await harness.feed(batch.map(lineOf))
          const before = await acceptedIds(harness)
          const here = events.filter((event) => before.has(event.event_id))
          const erased = await forgetOne(harness, here, pick)
          const left = [...before].filter((id) => !erased.gone.has(id))
          expect(await acceptedIds(harness)).toEqual(new Set(left))
          if (erased.gone.size > 0) forgotten += 1
          expect(await tablesWith(harness, [...erased.gone, ...erased.persons])).toEqual([])
          for (const id of erased.gone) gone.add(id)
          for (const name of erased.own) own.add(name)
          await expectLaw(null)
        }
        const watermark =
          Math.max(...parts.events.map((event) => event.occurred_at)) + 3_600_000_000
        for (const batch of batches) await harness.feed(batch.map(lineOf))
        await harness.feed([], watermark)
        const come = events.filter(
          (event) => !gone.has(event.event_id) && !names(event).some((name) => own.has(name)),
        )
        expect(await acceptedIds(harness)).toEqual(new Set(come.map(({ event_id }) => event_id)))
        await expectLaw(watermark)
        await harness.warehouse.close()
      }),
      bounded(RUNS),
    )
    expect(forgotten).toBeGreaterThan(runs / 4)
  },
  TIMEOUT,
)

test(
  'with pseudonyms, the tables equal those of the pseudonymized events',
  async () => {
    let kept = 0
    let runs = 0
    await fc.assert(
      fc.asyncProperty(scene, async ({ parts, batches, cuts, pick }) => {
        const definitions = makeDefinitions({ ...parts, journeys: [parts.journey] })
        const harness = new Harness(definitions)
        const { warehouse } = harness
        for (const batch of batches.slice(0, cuts[0])) await harness.feed(batch.map(lineOf))
        const expectLaw = async () => {
          const [head] = await warehouse.query('select max(watermark) as at from batches')
          const expected = reference(
            await landed(harness.warehouse),
            definitions,
            head?.['at'] as number,
          )
          const actual = await dump(warehouse)
          for (const view of VIEWS) {
            const rows = sorted(expected[view] ?? [])
            expect({ view, rows: actual[view] }).toEqual({ view, rows })
          }
          expect((await failedChecks(warehouse)).failed).toEqual([])
        }
        const shape = (events: AcceptedEvent[]) =>
          events.map(({ name, occurred_at, ordinal }) => `${occurred_at} ${ordinal} ${name}`).sort()
        const before = await landed(harness.warehouse)
        const { gone, own, persons } = await forgetOne(harness, before, pick, true)
        expect(await tablesWith(harness, [...gone, ...persons])).toEqual([])
        const after = await landed(harness.warehouse)
        expect(shape(after)).toEqual(shape(before))
        const strangers = after.filter(({ event_id }) => event_id.length === 32)
        expect(strangers.length).toBe(gone.size)
        if (gone.size > 0) kept += 1
        runs += 1
        await expectLaw()
        for (const batch of batches) await harness.feed(batch.map(lineOf))
        const come = acceptable(parts.events, definitions).filter(
          (event) => !gone.has(event.event_id) && !names(event).some((name) => own.has(name)),
        )
        const ids = [...strangers, ...come].map(({ event_id }) => event_id)
        expect(await acceptedIds(harness)).toEqual(new Set(ids))
        await expectLaw()
        await warehouse.close()
      }),
      bounded(Math.ceil(RUNS / 2)),
    )
    expect(kept).toBeGreaterThan(runs / 4)
  },
  TIMEOUT,
)

/** Returns the same history for people who share nothing with the first. */
function elsewhere(events: AcceptedEvent[]): AcceptedEvent[] {
  const far = (name: string) => name.replace(':', ':far-')
  const pair = <T extends string[]>(names: T) => names.map(far) as T
  return events.map((event) => ({
    ...event,
    event_id: `far-${event.event_id}`,
    identifiers: Object.fromEntries(
      Object.entries(event.identifiers).map(([namespace, value]) => [namespace, `far-${value}`]),
    ),
    ...(event.alias === undefined ? {} : { alias: pair(event.alias) }),
    ...(event.unlink === undefined ? {} : { unlink: pair(event.unlink) }),
  }))
}

/** Returns all stored rows of people elsewhere, with timestamps; the latest image per key. */
async function storedElsewhere({ warehouse }: Harness) {
  const tables: { [table: string]: string[] } = {}
  for (const table of Object.keys(TABLES) as TableName[]) {
    const spec: TableSpec = TABLES[table]
    const text = table.endsWith('_image')
      ? `select key, image, recorded_at from ${table}
         qualify row_number() over (partition by key order by recorded_by desc) = 1 order by all`
      : `select * from ${spec.versions ?? storageOf(table)} order by all`
    const rows = await warehouse.query(text)
    tables[table] = rows.map((row) => JSON.stringify(row)).filter((row) => row.includes('far-'))
  }
  return tables
}

test(
  'rows of unrelated people keep every timestamp',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        scene.chain(({ parts, pick }) =>
          fc.record({
            parts: fc.constant(parts),
            pick: fc.constant(pick),
            batches: arrivals([...parts.events, ...elsewhere(parts.events)]),
          }),
        ),
        async ({ parts, pick, batches }) => {
          const definitions = makeDefinitions({ ...parts, journeys: [parts.journey] })
          const harness = new Harness(definitions)
          for (const batch of batches) await harness.feed(batch.map(lineOf))
          const before = await storedElsewhere(harness)
          await forgetOne(harness, [], pick)
          expect(await storedElsewhere(harness)).toEqual(before)
          await harness.warehouse.close()
        },
      ),
      bounded(Math.ceil(RUNS / 3)),
    )
  },
  TIMEOUT,
)
