/**
 * Rows of `identities`: an identifier, its profile, and how often and when it was seen.
 *
 * Sightings are kept by identifier and stream, so a rederived stream replaces its own sightings and
 * no others. The ledger keeps the rows an identifier had when a batch first touches it, and
 * compares them at the end.
 */

import { encodePart } from '../../base/hash.ts'
import type { IdentifierImage, Sighting } from '../image-cache.ts'
import { freshIdentifier, type Moves } from '../link-identities.ts'
import { namespaceOf } from '../../base/identifier.ts'
import { diff, type Changes } from './changelog.ts'
import { OwnerReason } from './superseding-reasons.ts'
import { Rows } from './rows.ts'
import type { MicroBatch } from '../micro-batch.ts'
import { Ints } from '../../stages/growable-array.ts'
import type { Ownership } from '../place-streams.ts'

/** Codes of an identifier, its stream and its profile, and the sighting they have. */
type Latest = { identifier: number; stream: number; profile: number; sighting: Sighting }

export class IdentifierLedger {
  readonly #batch: MicroBatch
  readonly #moves: Moves
  readonly #after: Ownership
  readonly #before: Rows<'identity'>
  /** Codes of the identifiers that were touched, and by code whether one was. */
  readonly #touched = new Ints()
  readonly #isTouched = new Ints()
  /** By namespace: the sighting that was counted last, which successive events mostly share. */
  readonly #latest: (Latest | undefined)[] = []

  /** `after` may be filled while the ledger is in use. */
  constructor(batch: MicroBatch, moves: Moves, after: Ownership) {
    this.#batch = batch
    this.#moves = moves
    this.#after = after
    this.#before = new Rows('identity', batch.texts)
  }

  /** Returns the image of an identifier, which may be changed in place. It must be loaded. */
  #touch(code: number): IdentifierImage {
    const { images, texts } = this.#batch
    const identifier = texts.at(code)
    const image = images.identifier.get(identifier) ?? freshIdentifier(identifier)
    if (code < this.#isTouched.length && this.#isTouched.at(code) === 1) return image
    this.#isTouched.set(code, 1)
    this.#touched.push(code)
    this.#addRows(this.#before, identifier, image, this.#profileBefore(identifier, image))
    images.identifier.put(identifier, image)
    return image
  }

  #profileBefore(identifier: string, image: IdentifierImage): string {
    return this.#moves.get(identifier)?.before ?? image.profile
  }

  /** Counts the row's identifiers on its stream, for the row's profile. */
  see(row: number): void {
    const { events, texts } = this.#batch
    const stream = events.stream.at(row)
    const profile = this.#after.profile.at(row)
    const at = events.occurredAt.at(row)
    for (let n = 0; n < events.identifiers.length; n++) {
      const identifier = (events.identifiers[n] as Ints).at(row)
      if (identifier < 0) continue
      let latest = this.#latest[n]
      if (
        latest === undefined ||
        latest.identifier !== identifier ||
        latest.stream !== stream ||
        latest.profile !== profile
      ) {
        const sighting = this.#sightingOf(identifier, texts.at(stream), texts.at(profile), at)
        latest = { identifier, stream, profile, sighting }
        this.#latest[n] = latest
      }
      count(latest.sighting, at)
    }
  }

  /** Returns the sighting of an identifier on a stream for a profile, without events at first. */
  #sightingOf(identifier: number, stream: string, profile: string, at: number): Sighting {
    const { sightings } = this.#touch(identifier)
    const known = sightings[stream] ?? []
    for (const sighting of known) if (sighting[0] === profile) return sighting
    const sighting: Sighting = [profile, at, at, 0]
    // Most have one profile on a stream, and a push into an empty list reserves room for more.
    if (known.length === 0) sightings[stream] = [sighting]
    else known.push(sighting)
    return sighting
  }

  /** Replaces the stream's sightings by those of `rows`; `all` includes the rows it had. */
  replace(stream: number, all: Int32Array, rows: Int32Array): void {
    const { events, texts } = this.#batch
    const on = texts.at(stream)
    for (const column of events.identifiers) {
      let latest = -1
      for (const row of all) {
        const identifier = column.at(row)
        if (identifier < 0 || identifier === latest) continue
        latest = identifier
        delete this.#touch(identifier).sightings[on]
      }
    }
    this.#latest.length = 0
    for (const row of rows) this.see(row)
  }

  /** Adds the changed rows to `changes`. */
  settle(changes: Changes): void {
    const { images, texts } = this.#batch
    const before = this.#before
    const after = new Rows('identity', texts)
    for (let i = 0; i < this.#touched.length; i++) {
      const identifier = texts.at(this.#touched.at(i))
      const image = images.identifier.get(identifier) as IdentifierImage
      this.#addRows(after, identifier, image, image.profile)
    }
    diff(before, after, changes.of('identity'), new OwnerReason(before, after, 'progress'))
  }

  /** A person identifier has one row, a device identifier one per profile of its events. */
  #addRows(
    rows: Rows<'identity'>,
    identifier: string,
    image: IdentifierImage,
    profile: string,
  ): void {
    const namespace = namespaceOf(identifier)
    const value = identifier.slice(namespace.length + 1)
    const isPerson = this.#batch.compiled.identity.person.includes(namespace)
    const { texts, columns: c } = rows
    const totals: Totals = { first: null, others: null }
    for (const stream in image.sightings) {
      for (const sighting of image.sightings[stream] as Sighting[]) {
        addTo(totals, isPerson ? profile : sighting[0], sighting)
      }
    }
    if (totals.first === null) return
    const part = encodePart(identifier)
    const nameCode = texts.code(namespace)
    const valueCode = texts.add(value)
    let total: Sighting | undefined = totals.first
    const others = totals.others?.values()
    while (total !== undefined) {
      const [owner, firstAt, lastAt, count] = total
      if (isPerson) rows.keys.push(part)
      else rows.keys.push(`${part}/${owner}`)
      c.namespace.push(nameCode)
      c.value.push(valueCode)
      c.profile_id.push(texts.code(owner))
      c.first_seen_at.push(firstAt)
      c.last_seen_at.push(lastAt)
      c.event_count.push(count)
      total = others?.next().value
    }
  }
}

/** Sightings by profile, in the order of the first of each. Most identifiers have one profile. */
type Totals = { first: Sighting | null; others: Map<string, Sighting> | null }

function addTo(totals: Totals, owner: string, [, firstAt, lastAt, count]: Sighting): void {
  const { first } = totals
  const total = first?.[0] === owner ? first : totals.others?.get(owner)
  if (total !== undefined) {
    total[1] = Math.min(total[1], firstAt)
    total[2] = Math.max(total[2], lastAt)
    total[3] += count
    return
  }
  const added: Sighting = [owner, firstAt, lastAt, count]
  if (first === null) totals.first = added
  else {
    totals.others ??= new Map()
    totals.others.set(owner, added)
  }
}

function count(sighting: Sighting, at: number): void {
  sighting[1] = Math.min(sighting[1], at)
  sighting[2] = Math.max(sighting[2], at)
  sighting[3] += 1
}
