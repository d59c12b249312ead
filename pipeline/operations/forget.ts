/**
 * Erases a person. Afterwards the tables are a function of the remaining events; with `isKept`, of
 * the remaining events and the pseudonymized ones.
 *
 * Components, streams and profiles that the erased events touched are derived again without them,
 * by the stages of a micro-batch. Pseudonymized events land through the same stages. Everything is
 * written in one transaction, with an erasure certificate. No effect is sent or retracted.
 */

import { unrecordedKey } from '../microbatch/key-on-record.ts'
import { deriveErasure, type Erasing } from '../microbatch/derive.ts'
import { landedCorrections } from '../microbatch/landed-batch.ts'
import { arrowTable } from '../warehouse/arrow/arrow.ts'
import { emptyBatch, type EventBatch } from '../decode/event-batch.ts'
import { imagesFor } from '../microbatch/codec/profile-codec.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile, type Compiled } from '../definition/compile.ts'
import { ChunkDecoder } from '../decode/decode.ts'
import type { Definitions } from '../definition/load.ts'
import { ErasedPersons, type ErasedHashes } from '../microbatch/suppression-list.ts'
import { cutMessages } from './redact-inbox.ts'
import { correctionsOf, findPerson, lettersOf, type Person } from './find-person.ts'
import { IdentifierReader } from '../decode/identifier-values.ts'
import type { Identity } from '../definition/settings.ts'
import { land } from '../microbatch/deduplicate.ts'
import { landedTable } from '../io/inbox-source.ts'
import { pseudonymised } from './pseudonymize.ts'
import { ReleaseLog, runningOf } from '../warehouse/release-log.ts'
import { StoredDecoder } from '../decode/stored-decoder.ts'
import { storedBatch, STORED_COLUMNS } from './stored-events.ts'
import { MicroBatch } from '../microbatch/micro-batch.ts'
import type { ErasedRows, Warehouse } from '../warehouse/warehouse.ts'

export type ForgetOptions = {
  warehouse: Warehouse
  definitions: Definitions
  /** A value of any person namespace, or `namespace:value`. */
  user: string
  /** Keep the events under pseudonyms. */
  isKept: boolean
  /** Only count what would be erased. */
  isPlan: boolean
  /** Current time, microseconds. */
  at: number
  /** Key of hashed namespaces. */
  hashKey?: string | undefined
}

/** `kept` counts the events kept under pseudonyms. */
export type Forgotten = { person: Person; counts: ErasedRows; kept: number; batch: number }

/** Erases a person, or counts what would be erased. State cached elsewhere is stale afterwards. */
export async function forget(options: ForgetOptions): Promise<Forgotten> {
  const { warehouse, user, isKept, isPlan, at, hashKey } = options
  const head = await warehouse.open()
  const log = await ReleaseLog.read(warehouse)
  const { definitions } = runningOf(options.definitions, log)
  const compiled = compile(definitions)
  const { identity } = compiled
  unrecordedKey(identity, hashKey, log, warehouse.url)
  const isEmpty = head.batch === 0
  const images = imagesFor(compiled, { state: warehouse, max: Infinity, isEmpty })
  const reader = new IdentifierReader(identity, hashKey)
  const columns = isKept ? STORED_COLUMNS.join(', ') : undefined
  const person = await findPerson({ warehouse, compiled, images }, user, reader, columns)
  const erased = await ErasedPersons.load(warehouse, head, identity, hashKey)
  const hashes = erased.add([...person.persons, ...person.devices], person.unmarked)
  const messages = await cutMessages(warehouse, rawDecoder(identity, hashKey), erased, at)
  const letters = await lettersOf(warehouse, erased)

  const { watermark } = head
  const working = new MicroBatch({
    compiled,
    images,
    state: warehouse,
    warehouse,
    watermarkBefore: watermark,
    watermark,
    erased: person.events,
  })
  const successor = isKept
    ? pseudonymizedBatch(person, compiled, reader)
    : emptyBatch(compiled.namespaces.length)
  const landing = await land(warehouse, successor, erased)
  working.add(successor, landing.rows)
  const corrections = landedCorrections(working, successor, landing)
  const erasing = await erasingOf(working, warehouse, person)
  const { changes, timers, components } = await deriveErasure(working, corrections, erasing)

  const history = working.history(person.streams)
  const remaining = new Set(history.streams)
  const builder = new CommitBuilder()
  builder.events(successor, landing)
  for (const [table, change] of changes) {
    change.supersedes.setReason('rebuilt')
    builder.change(table, change)
  }
  builder.history(history)
  builder.timers(timers)
  builder.images(images)
  const batch = head.batch + 1
  const commit = builder.build(
    { batch, recordedAt: Math.max(at, head.recordedAt + 1), watermark },
    { origin: 'forget', read: 0, duplicates: 0, rejected: 0 },
  )
  if (messages.remains.length > 0) {
    commit.inserts.set('landed_messages', landedTable(messages.remains))
  }
  const erasure = {
    events: [...person.events],
    names: [...person.persons, ...person.devices],
    streams: person.streams,
    emptied: person.streams.filter((stream) => !remaining.has(stream)),
    components,
    letters,
    messages: messages.cut,
    dues: images.profile.changed().keys.map((profile) => {
      const due = images.profile.get(profile)?.due ?? Infinity
      return { profile, due: due === Infinity ? null : due }
    }),
  }
  const kind = isKept ? 'pseudonymised' : 'erased'
  const certificate = (counts: ErasedRows) => certificateOf(kind, hashes, counts)
  const counts = await warehouse.erase(commit, erasure, certificate, isPlan)
  return { person, counts, kept: landing.rows.length, batch }
}

/** Decoder of raw lines in any format. Only their identifiers matter here, so event definitions are
 * not checked. */
function rawDecoder(identity: Identity, hashKey: string | undefined): ChunkDecoder {
  const events = { events: {} }
  return new ChunkDecoder({ identity, operandPaths: [], format: undefined, events, hashKey })
}

/** Returns the person's events under pseudonyms. Leaves out events that carry no identifier under
 * the current definitions: they are in no derived table. */
function pseudonymizedBatch(
  { rows }: Person,
  compiled: Compiled,
  reader: IdentifierReader,
): EventBatch {
  const decoder = new StoredDecoder(compiled.identity, compiled.operandPaths)
  return storedBatch(pseudonymised(rows, compiled.namespaces, reader), decoder)
}

/** Returns what must be derived again without the person's events. Reads the history of their
 * streams. */
async function erasingOf(
  working: MicroBatch,
  warehouse: Warehouse,
  person: Person,
): Promise<Erasing> {
  const { events, compiled, texts } = working
  await working.loadHistory(person.streams.map((stream) => texts.code(stream)))
  const { remaining, named } = await correctionsOf(warehouse, person.events)
  const names = new Set([...person.persons, ...named])
  for (const column of events.identifiers.slice(0, compiled.identity.person.length)) {
    for (let row = 0; row < events.count; row++) {
      const isNamed = column.at(row) >= 0 && person.events.has(events.eventIdOf(row))
      if (isNamed) names.add(texts.at(column.at(row)))
    }
  }
  const erased = new Set(person.persons)
  return { names, erased, corrections: remaining, streams: person.streams }
}

function certificateOf(kind: string, hashes: ErasedHashes, counts: ErasedRows) {
  return arrowTable(
    'erasures',
    {
      kind: [kind],
      salt: [hashes.salt],
      identifier_hashes: [JSON.stringify([...hashes.identifiers, ...hashes.values])],
      event_hashes: [JSON.stringify(hashes.events)],
      counts: [JSON.stringify(counts)],
    },
    1,
  )
}
