/** Commits as Arrow tables: every method of the builder, with the values of every column. */

import { DataType, type Table } from 'apache-arrow'
import { expect, test } from 'vitest'
import type { TextColumn } from '../../pipeline/base/columns.ts'
import { hashes64, uuidOf } from '../../pipeline/base/hash.ts'
import { Texts } from '../../pipeline/base/texts.ts'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import type { EventBatch } from '../../pipeline/decode/event-batch.ts'
import { compile } from '../../pipeline/definition/compile.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { Supersedes } from '../../pipeline/microbatch/rows/changelog.ts'
import { CommitBuilder } from '../../pipeline/microbatch/commit-builder.ts'
import { deadLetterId, type Landing } from '../../pipeline/microbatch/deduplicate.ts'
import type { DueEffect } from '../../pipeline/microbatch/rows/due-effects.ts'
import { Rows } from '../../pipeline/microbatch/rows/rows.ts'
import type { Commit } from '../../pipeline/warehouse/warehouse.ts'

const HEAD = { batch: 7, recordedAt: 1_900_000_000_000_000, watermark: 1_800_000_000_000_000 }
const NOTE = { origin: 'a.ndjson', read: 9, duplicates: 2, rejected: 1 }

const built = (fill: (builder: CommitBuilder) => void): Commit => {
  const builder = new CommitBuilder()
  fill(builder)
  return builder.build(HEAD, NOTE)
}

/** Returns the rows of a table with ids as UUID text, bytes as text, and integers and instants
 * (microseconds) as numbers. */
function rowsOf(table: Table | undefined): object[] {
  if (table === undefined) return []
  const { fields } = table.schema
  return table.toArray().map((row: object) =>
    Object.fromEntries(
      fields.map(({ name, type }) => {
        const value = (row as { [column: string]: unknown })[name]
        // Arrow returns milliseconds.
        const isInstant = DataType.isTimestamp(type) && typeof value === 'number'
        return [name, isInstant ? Math.round(value * 1_000) : plain(value)]
      }),
    ),
  )
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (!(value instanceof Uint8Array)) return value
  const hex = Buffer.from(value).toString('hex')
  if (value.length !== 16) return Buffer.from(value).toString()
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const LINES = [
  '{"event_id":"e1","name":"A","occurred_at":1700000000000,"identifiers":{"user_id":"ada"}}',
  'not JSON',
  '{"event_id":"e2","name":"B","occurred_at":1700000001000,"ordinal":3,"source":"ios",' +
    '"identifiers":{"user_id":"bob"},"properties":{"n":1},"context":{"ip":"::1"},' +
    '"alias":["user_id:bob","user_id:b"]}',
  '{"event_id":"e3","name":"A","occurred_at":1700000002000,"identifiers":{"user_id":"cy"},' +
    '"unlink":["user_id:cy","email:c"]}',
]

function decoded(lines = LINES): EventBatch {
  const { identity } = makeDefinitions({})
  const parts = {
    identity,
    operandPaths: [],
    format: undefined,
    events: { events: {} },
    hashKey: undefined,
  }
  const bytes = new TextEncoder().encode(lines.join('\n'))
  return new ChunkDecoder(parts).decode(bytes, 1_750_000_000_000_000)
}

const landingOf = (batch: EventBatch, rows: number[]): Landing => ({
  rows,
  landedRow: new Int32Array(batch.count),
  duplicates: 0,
  erased: 0,
  refusals: batch.refusals,
})

test('an empty commit has its row of batches and nothing else', () => {
  const { inserts, supersedes, images, ...head } = built((builder) => {
    builder.resolutions([])
    builder.effects([])
    builder.history({ streams: [], segments: segmentsOf() })
    builder.timers({ dueAt: [], profileId: [] })
    builder.cohorts([], [])
    const none = { inserts: new Rows('cycle', new Texts()), supersedes: new Supersedes() }
    builder.change('cycle', none)
  })
  expect(head).toEqual({ batch: 7, recordedAt: HEAD.recordedAt })
  expect([...inserts.keys(), ...supersedes.keys(), ...images.keys()]).toEqual(['batches'])
  expect(rowsOf(inserts.get('batches'))).toEqual([
    {
      batch: 7,
      watermark: HEAD.watermark,
      origin: 'a.ndjson',
      read_count: 9,
      landed_count: 0,
      duplicate_count: 2,
      rejected_count: 1,
      inserted_count: 0,
      superseded_count: 0,
      effect_count: 0,
    },
  ])
})

test('only landed events are inserted, with everything that was decoded', () => {
  const batch = decoded()
  const { inserts } = built((builder) => builder.events(batch, landingOf(batch, [1, 2])))
  const [second, third] = rowsOf(inserts.get('events'))
  expect(second).toEqual({
    event_id: 'e2',
    name: 'B',
    occurred_at: 1_700_000_001_000_000,
    ordinal: 3,
    received_at: 1_750_000_000_000_000,
    source: 'ios',
    identifiers: '{"user_id":"bob"}',
    properties: '{"n":1}',
    context: '{"ip":"::1"}',
    alias: '["user_id:bob","user_id:b"]',
    unlink: null,
    event_hash: batch.eventHash[1],
    fingerprint: batch.fingerprint[1],
  })
  expect(third).toMatchObject({ event_id: 'e3', alias: null, unlink: '["user_id:cy","email:c"]' })
  expect(rowsOf(inserts.get('batches'))).toMatchObject([{ landed_count: 2 }])
})

test('refused lines that are stored already are left out, and equal ones are one dead letter', () => {
  const batch = decoded(['x', 'y', 'x'])
  const landing = landingOf(batch, [])
  const id = (line: string) => deadLetterId(new TextEncoder().encode(line), 'invalid_json')
  const letters = (stored: string[]) => {
    const { inserts } = built((builder) => {
      builder.deadLetters(batch, landing, new Set(stored), 'a.ndjson', HEAD.recordedAt)
    })
    return rowsOf(inserts.get('dead_letters'))
  }
  const common = { reason: 'invalid_json', origin: 'a.ndjson', received_at: HEAD.recordedAt }
  expect(letters([id('y')])).toEqual([
    { dead_letter_id: id('x'), raw: 'x', detail: expect.stringMatching(/./), ...common },
  ])
  expect(letters([])).toMatchObject([{ raw: 'x' }, { raw: 'y' }])
  expect(letters([id('x'), id('y')])).toEqual([])
})

test('resolved dead letters, applied messages and timers are inserted by key', () => {
  const letter = uuidOf('letter')
  const message = { subscription_name: 's', message_id: 'm', publish_time: 5 }
  const { inserts } = built((builder) => {
    builder.resolutions([letter])
    builder.applied([message])
    builder.timers({ dueAt: [11, 12], profileId: ['p', 'q'] })
  })
  expect(rowsOf(inserts.get('dead_letter_resolution'))).toEqual([{ dead_letter_id: letter }])
  expect(rowsOf(inserts.get('applied_messages'))).toEqual([message])
  expect(rowsOf(inserts.get('timer'))).toEqual([
    { due_at: 11, profile_id: 'p' },
    { due_at: 12, profile_id: 'q' },
  ])
})

function segmentsOf(...segments: string[]): TextColumn {
  const texts = new Texts()
  for (const segment of segments) texts.add(segment)
  return texts.column(new Uint8Array(texts.size).fill(1))
}

test('history segments and images have the 64-bit hash of their key', () => {
  const changed = { keys: ['stream a', 'stream b'], texts: ['[1]', '[2]'] }
  const none = { changed: () => ({ keys: [], texts: [] }) }
  const images = {
    stream: { changed: () => changed },
    identifier: none,
    component: none,
    profile: none,
  } as unknown as Parameters<CommitBuilder['images']>[0]
  const commit = built((builder) => {
    const streams = ['stream a', 'stream b']
    builder.history({ streams, segments: segmentsOf('segment 1', 'segment 2') })
    builder.images(images)
  })
  const [a, b] = hashes64(changed.keys)
  expect(rowsOf(commit.inserts.get('history'))).toEqual([
    { k: a, stream: 'stream a', segment: 'segment 1' },
    { k: b, stream: 'stream b', segment: 'segment 2' },
  ])
  expect([...commit.images.keys()]).toEqual(['stream'])
  expect(rowsOf(commit.images.get('stream'))).toEqual([
    { k: a, key: 'stream a', image: '[1]' },
    { k: b, key: 'stream b', image: '[2]' },
  ])
})

test('releases, outcomes and cohorts are inserted column by column', () => {
  const release = { kind: 'journey', id: 'j', version: 2, hash: 'h', content: '{}' } as const
  const run = { cohort: 'c', version: 3, evaluatedAt: 5, members: 4, entered: 2, left: 1 }
  const change = {
    cohort: 'c',
    version: 3,
    profileId: 'p',
    change: 'left',
    reason: 'corrected',
    evaluatedAt: 5,
  } as const
  const outcome = {
    journey: 'j',
    version: 2,
    track: 'main',
    state: 'won',
    outcome: 'success',
  } as const
  const { inserts } = built((builder) => {
    builder.releases([{ ...release, action: 'promoted', reason: 'better', by: 'ada' }])
    builder.outcomes([outcome])
    builder.cohorts([run], [change])
  })
  expect(rowsOf(inserts.get('releases'))).toEqual([
    { ...release, action: 'promoted', reason: 'better', released_by: 'ada' },
  ])
  expect(rowsOf(inserts.get('outcomes'))).toEqual([outcome])
  expect(rowsOf(inserts.get('cohort_runs'))).toEqual([
    {
      cohort: 'c',
      version: 3,
      evaluated_at: 5,
      member_count: 4,
      entered_count: 2,
      left_count: 1,
    },
  ])
  expect(rowsOf(inserts.get('cohort_changes'))).toEqual([
    {
      cohort: 'c',
      version: 3,
      profile_id: 'p',
      change: 'left',
      reason: 'corrected',
      evaluated_at: 5,
    },
  ])
})

test('steps are defined for the funnels that are released, a journey’s with their journey', () => {
  const journey = {
    id: 'j',
    version: 4,
    initial: 'a',
    states: { a: { on: { Go: 'b' } }, b: { type: 'final' } },
    funnels: { own: { steps: ['a', 'b'] } },
  }
  const definitions = makeDefinitions({
    journeys: [journey as never],
    funnels: [
      {
        id: 'buy',
        version: 2,
        steps: ['A', { event: 'B', optional: true }, 'C'],
        within: '1500ms',
      },
      { id: 'any', version: 1, steps: ['A', 'B'], order: 'any', within: '1h' },
    ],
  })
  const { funnels } = compile(definitions)
  const steps = (pick: (id: string) => boolean) => {
    const releases = definitions.releases.filter(({ id }) => pick(id))
    const { inserts } = built((builder) => builder.funnels(releases, funnels))
    return rowsOf(inserts.get('funnel_definitions')).map((row) => {
      const { options, ...columns } = row as { options: string; funnel: string }
      expect(options).toBe(funnels.find(({ id: funnel }) => funnel === columns.funnel)?.options)
      return Object.values(columns).join(' ')
    })
  }
  expect(steps((id) => id === 'buy')).toEqual([
    'buy  2 1 A false attempts 1500',
    'buy  2 2 B true attempts 1500',
    'buy  2 3 C false attempts 1500',
  ])
  expect(steps((id) => id === 'any')).toEqual([
    'any  1 1  false attempts 3600000',
    'any  1 2  false attempts 3600000',
  ])
  expect(steps((id) => id === 'j')).toEqual([
    'own j 4 1 a false instances ',
    'own j 4 2 b false instances ',
  ])
  expect(steps(() => false)).toEqual([])
  // A release with another version, id or kind defines nothing.
  const others = definitions.releases.flatMap((one) => [
    { ...one, version: 9 },
    { ...one, id: 'other' },
    { ...one, kind: one.kind === 'funnel' ? ('journey' as const) : ('funnel' as const) },
  ])
  const { inserts } = built((builder) => builder.funnels(others, funnels))
  expect(inserts.has('funnel_definitions')).toBe(false)
})

test('versions are inserted and superseded by the hash of their key, and counted', () => {
  const texts = new Texts()
  const rows = new Rows('event_profile', texts)
  for (const n of [1, 2]) {
    rows.keys.push(`key ${n}`)
    rows.columns.event_id.push(texts.code(`e${n}`))
    rows.columns.profile_id.push(texts.code('p'))
    rows.columns.session_id.push(texts.code('s1'))
  }
  const supersedes = new Supersedes()
  supersedes.addText('key 0', 'progress')
  supersedes.addText('key 1', 'identity')
  const commit = built((builder) => {
    builder.change('event_profile', { inserts: rows, supersedes })
    builder.taken({ inserted: 10, superseded: 20 })
  })
  expect(rowsOf(commit.inserts.get('event_profile'))).toEqual([
    { row_key: uuidOf('key 1'), event_id: 'e1', profile_id: 'p', session_id: 's1' },
    { row_key: uuidOf('key 2'), event_id: 'e2', profile_id: 'p', session_id: 's1' },
  ])
  expect(rowsOf(commit.supersedes.get('event_profile'))).toEqual([
    { row_key: uuidOf('key 0'), superseded_because: 'progress' },
    { row_key: uuidOf('key 1'), superseded_because: 'identity' },
  ])
  expect(rowsOf(commit.inserts.get('batches'))).toMatchObject([
    { inserted_count: 12, superseded_count: 22 },
  ])
})

test('effects have the hash of their key and of their transition, and are numbered', () => {
  const effect = (key: string, type: string): DueEffect => ({
    id: uuidOf(key),
    transition: uuidOf(`${key} transition`),
    type,
    payload: `{"type":"${type}"}`,
    machine: { id: 'j', version: 2 } as DueEffect['machine'],
    instanceId: 'i',
    profileId: 'p',
    occurredAt: 5,
    withinUs: null,
  })
  const { inserts } = built((builder) =>
    builder.effects([
      { effect: effect('one', 'mail'), kind: 'effect', status: 'due' },
      { effect: effect('two', 'text'), kind: 'retraction', status: 'expired' },
    ]),
  )
  const common = { journey: 'j', version: 2, instance_id: 'i', profile_id: 'p', occurred_at: 5 }
  expect(rowsOf(inserts.get('effects'))).toEqual([
    {
      effect_id: uuidOf('one'),
      kind: 'effect',
      status: 'due',
      type: 'mail',
      payload: '{"type":"mail"}',
      transition_id: uuidOf('one transition'),
      ...common,
      effect_no: 1,
    },
    {
      effect_id: uuidOf('two'),
      kind: 'retraction',
      status: 'expired',
      type: 'text',
      payload: '{"type":"text"}',
      transition_id: uuidOf('two transition'),
      ...common,
      effect_no: 2,
    },
  ])
  expect(rowsOf(inserts.get('batches'))).toMatchObject([{ effect_count: 2 }])
})
