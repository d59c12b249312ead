/**
 * Forgetting a person: afterwards the tables are those of the remaining events.
 *
 * What the erased events touched is derived again by the stages every batch goes through, over
 * history without them: components, streams, profiles. What that changes and what is the person's
 * is written in one transaction, with a certificate. No effect is sent or taken back: nothing has
 * happened to anybody.
 */

import { randomBytes } from 'node:crypto'
import { arrowTable } from './arrow.ts'
import { imagesFor } from './checkpoint.ts'
import { CommitBuilder } from './commit.ts'
import { compile } from './compile.ts'
import type { Definitions } from './definitions.ts'
import { ErasedPersons, saltedHash } from './erased.ts'
import { correctionsOf, findPerson, type Person } from './forget-person.ts'
import { Identities } from './identities.ts'
import { relinkRemaining } from './persons.ts'
import { Profiles } from './profiles.ts'
import { ReleaseLog, runningOf } from './releases.ts'
import { placeStreams, rederiveStreams } from './streams.ts'
import { Turn } from './turn.ts'
import type { ErasedRows, Warehouse } from './warehouse.ts'

export type ForgetOptions = {
  warehouse: Warehouse
  definitions: Definitions
  /** A value of any person namespace, or `namespace:value`. */
  user: string
  /** Only tell what would go. */
  isPlan: boolean
  /** Now, microseconds. */
  at: number
  /** Of hashed namespaces. */
  hashKey?: string | undefined
}

export type Forgotten = { person: Person; counts: ErasedRows; batch: number }

/** Erases a person, or tells what would be erased. Images held elsewhere are stale afterwards. */
export async function forget(options: ForgetOptions): Promise<Forgotten> {
  const { warehouse, user, isPlan, at, hashKey } = options
  const head = await warehouse.open()
  const { definitions } = runningOf(options.definitions, await ReleaseLog.read(warehouse))
  const compiled = compile(definitions)
  const isEmpty = head.batch === 0
  const images = imagesFor(compiled, { warehouse, max: Infinity, isEmpty })
  const person = await findPerson({ warehouse, compiled, images }, user, hashKey)
  const { watermark } = head
  const turn = new Turn({ compiled, images, warehouse, watermarkBefore: watermark, watermark })
  const { components, timers } = await deriveWithout(turn, warehouse, person)

  for (const { supersedes } of turn.changes.values()) supersedes.because.fill('rebuilt')
  const remaining = person.streams.filter((stream) => turn.remainingOf(stream).length > 0)
  for (const stream of remaining) turn.newRows.set(stream, turn.remainingOf(stream))
  const builder = new CommitBuilder()
  for (const [table, change] of turn.changes) builder.change(table, change)
  builder.history(turn)
  builder.timers(timers)
  builder.images(turn)
  const batch = head.batch + 1
  const commit = builder.build(
    { batch, recordedAt: Math.max(at, head.recordedAt + 1), watermark },
    { origin: 'forget', read: 0, duplicates: 0, rejected: 0 },
  )
  const erasure = {
    events: [...person.events],
    names: [...person.persons, ...person.devices],
    streams: person.streams,
    emptied: person.streams.filter((stream) => !remaining.includes(stream)),
    components,
    letters: person.letters,
    dues: images.profile.changed().keys.map((profile) => {
      const due = images.profile.get(profile)?.due ?? Infinity
      return { profile, due: due === Infinity ? null : due }
    }),
  }
  const { salt } = await ErasedPersons.load(warehouse, head, compiled.namespaces)
  const certificate = (counts: ErasedRows) => certificateOf(person, salt ?? newSalt(), counts)
  const counts = await warehouse.erase(commit, erasure, certificate, isPlan)
  return { person, counts, batch }
}

/** Derives what the person's events touched from those that remain. */
async function deriveWithout(turn: Turn, warehouse: Warehouse, person: Person) {
  const { images } = turn
  for (const eventId of person.events) turn.erased.add(eventId)
  await turn.loadHistory(person.streams)
  const { remaining, named } = await correctionsOf(warehouse, person.events)
  const names = new Set([...person.persons, ...named])
  for (const column of turn.events.identifiers.slice(0, turn.compiled.identity.person.length)) {
    column.forEach((name, row) => {
      if (name === undefined) return
      if (turn.erased.has(turn.events.eventId[row] as string)) names.add(name)
    })
  }
  await images.identifier.load(names)
  const erased = new Set(person.persons)
  const components = await relinkRemaining(turn, names, erased, remaining)
  const again = new Set(person.streams)
  for (const name of turn.moved.keys()) {
    for (const stream of Object.keys(images.identifier.get(name)?.sightings ?? {})) {
      again.add(stream)
    }
  }
  const identities = new Identities(turn)
  const profiles = new Profiles(turn)
  await placeStreams(turn, again)
  rederiveStreams(turn, identities, again)
  for (const stream of again) profiles.compare(stream)
  await profiles.fold()
  identities.settle()
  return { components, timers: profiles.timers }
}

function newSalt(): string {
  return randomBytes(32).toString('hex')
}

function certificateOf(person: Person, salt: string, counts: ErasedRows) {
  const hashes = (texts: string[]) =>
    JSON.stringify(texts.map((text) => saltedHash(salt, text)).sort())
  return arrowTable(
    'erasures',
    {
      salt: [salt],
      identifier_hashes: [hashes([...person.persons, ...person.devices])],
      event_hashes: [hashes(person.unmarked)],
      counts: [JSON.stringify(counts)],
    },
    1,
  )
}
