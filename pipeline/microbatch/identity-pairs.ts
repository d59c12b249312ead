/**
 * Pairs of person identifiers: their links, aliases and unlinks, and which of these have an effect.
 *
 * Only the first link of a pair that no unlink cancels has an effect. A pair therefore keeps the
 * place of that link, the aliases and the latest unlink. Only a late unlink, before known links,
 * requires reading the history of the streams that carry both identifiers, to find the next link.
 *
 * An alias with the condition `if_carried` counts if some event carries its first identifier,
 * wherever that event is in event order. The tables do not depend on which of them arrives first.
 */

import { comparePlaces, compareText, type Place } from '../base/event-order.ts'
import { encodePart } from '../base/hash.ts'
import { namespaceOf, type CorrectionKind } from '../base/identifier.ts'
import type { Texts } from '../base/texts.ts'
import { Ints } from '../stages/growable-array.ts'
import type { Attempt } from '../stages/resolve-identity.ts'
import type { MicroBatch } from './micro-batch.ts'
import type { Pair } from './image-cache.ts'

/** Links, aliases and unlinks of one pair in a batch. */
export type Sayings = {
  kept: string
  refused: string
  /** Rows of events that link the pair. */
  links: number[]
  aliases: Place[]
  ifCarried: Pair['ifCarried']
  unlinks: Place[]
}

/** Returns whether some event carries a person identifier. */
export type IsCarried = (identifier: string) => boolean

/** An alias or unlink and the place of its event. An alias goes from `a` to `b`. */
export type PlacedCorrection = { place: Place; kind: CorrectionKind; a: string; b: string }

const SLOTS_AT_FIRST = 1_024
/** Odd, and spreads successive codes over 32 bits. */
const MULTIPLIER = 0x9e3779b1

/** Sayings of a working set by their pairs of codes, in an open addressing table. */
class SayingsByPair {
  readonly all: Sayings[] = []
  readonly #texts: Texts
  /** By saying: the codes of its pair. */
  readonly #kept = new Ints()
  readonly #refused = new Ints()
  /** Numbers of sayings from 1; 0 is free. The length is a power of two. */
  #slots = new Int32Array(SLOTS_AT_FIRST)

  constructor(texts: Texts) {
    this.#texts = texts
  }

  of(kept: number, refused: number): Sayings {
    const slot = this.#slotOf(kept, refused)
    const number = (this.#slots[slot] as number) - 1
    if (number >= 0) return this.all[number] as Sayings
    // Members are listed, because each object with a spread has a hidden class of its own.
    const saying = {
      kept: this.#texts.at(kept),
      refused: this.#texts.at(refused),
      links: [],
      aliases: [],
      ifCarried: [],
      unlinks: [],
    }
    this.#kept.push(kept)
    this.#refused.push(refused)
    this.#slots[slot] = this.all.push(saying)
    if (2 * this.all.length > this.#slots.length) this.#grow()
    return saying
  }

  #slotOf(kept: number, refused: number): number {
    const mask = this.#slots.length - 1
    let slot = (Math.imul(Math.imul(kept, MULTIPLIER) + refused, MULTIPLIER) >>> 8) & mask
    for (;;) {
      const number = (this.#slots[slot] as number) - 1
      if (number < 0) return slot
      if (this.#kept.at(number) === kept && this.#refused.at(number) === refused) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length)
    for (let number = 0; number < this.all.length; number++) {
      const slot = this.#slotOf(this.#kept.at(number), this.#refused.at(number))
      this.#slots[slot] = number + 1
    }
  }
}

/** Links, aliases and unlinks of rows and corrections, one entry a pair. */
export function sayingsOf(
  batch: MicroBatch,
  rows: Iterable<number>,
  corrections: readonly PlacedCorrection[],
): Sayings[] {
  const { texts } = batch
  const sayings = new SayingsByPair(texts)
  const persons = personColumns(batch)
  for (const row of rows) {
    const first = firstPerson(persons, row)
    for (let n = first + 1; n < persons.length; n++) {
      const refused = (persons[n] as Ints).at(row)
      if (refused >= 0) sayings.of((persons[first] as Ints).at(row), refused).links.push(row)
    }
  }
  for (const { place, kind, a, b } of corrections) {
    if (a === b) continue
    const [kept, refused] = inPriority(batch, a, b)
    const saying = sayings.of(texts.code(kept), texts.code(refused))
    if (kind === 'alias') saying.aliases.push(place)
    else if (kind === 'unlink') saying.unlinks.push(place)
    else saying.ifCarried.push([a, place])
  }
  return sayings.all
}

function personColumns({ compiled, events }: MicroBatch): Ints[] {
  return events.identifiers.slice(0, compiled.identity.person.length)
}

/** Returns the namespace of a row's highest-priority person identifier, which the event links with
 * each other one. Without any it is the number of namespaces. */
function firstPerson(persons: readonly Ints[], row: number): number {
  let n = 0
  while (n < persons.length && (persons[n] as Ints).at(row) < 0) n += 1
  return n
}

function inPriority(batch: MicroBatch, a: string, b: string): [string, string] {
  const { person } = batch.compiled.identity
  const ahead = person.indexOf(namespaceOf(a)) - person.indexOf(namespaceOf(b)) || compareText(a, b)
  return ahead <= 0 ? [a, b] : [b, a]
}

/** Key of a pair within its component, and of its row in `identity_conflicts`. */
export function pairKey(kept: string, refused: string): string {
  return `${encodePart(kept)}/${encodePart(refused)}`
}

/** Pairs from which on a component is indexed. */
const INDEXED_MIN = 32

/** The pairs of a batch as their components store them. The components must not change meanwhile. */
export class StoredPairs {
  readonly #batch: MicroBatch
  /** Pairs of large components by `pairKey`. */
  readonly #indexes = new Map<string, Map<string, Pair>>()

  constructor(batch: MicroBatch) {
    this.#batch = batch
  }

  /** Returns the stored pair, or one without links, aliases and unlinks. */
  of({ kept, refused }: Sayings): Pair {
    const { identifier, component } = this.#batch.images
    const key = identifier.get(kept)?.component ?? null
    const pairs = key === null ? [] : (component.get(key)?.pairs ?? [])
    const pair =
      key === null || pairs.length < INDEXED_MIN
        ? pairs.find((one) => one.kept === kept && one.refused === refused)
        : this.#indexOf(key, pairs).get(pairKey(kept, refused))
    return pair ?? freshPair(kept, refused)
  }

  #indexOf(key: string, pairs: readonly Pair[]): Map<string, Pair> {
    let index = this.#indexes.get(key)
    if (index === undefined) {
      index = new Map(pairs.map((pair) => [pairKey(pair.kept, pair.refused), pair]))
      this.#indexes.set(key, index)
    }
    return index
  }
}

/** Returns a pair without links, aliases and unlinks. */
export function freshPair(kept: string, refused: string): Pair {
  return { kept, refused, firstLink: null, aliases: [], ifCarried: [], unlinked: null }
}

/** Returns the pair with the batch's links and corrections applied; null if nothing changes. */
export async function applySaying(
  batch: MicroBatch,
  saying: Sayings,
  pair: Pair,
): Promise<Pair | null> {
  if (repeatsLink(batch, saying, pair)) return null
  const unlinked = latest([...saying.unlinks, ...(pair.unlinked === null ? [] : [pair.unlinked])])
  const counts = (place: Place) => unlinked === null || comparePlaces(place, unlinked) > 0
  const links = firstLink(batch, saying.links, unlinked)
  if (pair.firstLink !== null) {
    if (counts(pair.firstLink)) links.push(pair.firstLink)
    else links.push(...(await linksInHistory(batch, pair)).filter(counts))
  }
  const aliases = [...pair.aliases, ...saying.aliases].filter(counts)
  const ifCarried = [...pair.ifCarried, ...saying.ifCarried].filter(([, place]) => counts(place))
  const first = earliest(links)
  const isSame =
    samePlace(first, pair.firstLink) &&
    samePlace(unlinked, pair.unlinked) &&
    aliases.length === pair.aliases.length &&
    ifCarried.length === pair.ifCarried.length &&
    saying.aliases.length + saying.ifCarried.length === 0
  if (isSame) return null
  const { kept, refused } = pair
  return { kept, refused, firstLink: first, aliases, ifCarried, unlinked }
}

/** Returns the place of the earliest row that no unlink cancels, if any. */
function firstLink(
  { events }: MicroBatch,
  rows: readonly number[],
  unlinked: Place | null,
): Place[] {
  let first = -1
  for (const row of rows) {
    if (unlinked !== null && !events.isAfter(row, unlinked)) continue
    if (first < 0 || events.inOrder(row, first) < 0) first = row
  }
  return first < 0 ? [] : [events.place(first)]
}

/** Returns whether a saying has only links after the first one of the pair, which no unlink cancels:
 * most have, and they change nothing. */
function repeatsLink(
  { events }: MicroBatch,
  { links, aliases, ifCarried, unlinks }: Sayings,
  { firstLink, unlinked }: Pair,
): boolean {
  if (firstLink === null || unlinked !== null) return false
  if (aliases.length + ifCarried.length + unlinks.length > 0) return false
  for (const row of links) if (!events.isAfter(row, firstLink)) return false
  return true
}

function earliest(places: Place[]): Place | null {
  let best: Place | null = null
  for (const place of places) if (best === null || comparePlaces(place, best) < 0) best = place
  return best
}

function latest(places: Place[]): Place | null {
  let best: Place | null = null
  for (const place of places) if (best === null || comparePlaces(place, best) > 0) best = place
  return best
}

function samePlace(a: Place | null, b: Place | null): boolean {
  if (a === null || b === null) return a === b
  return comparePlaces(a, b) === 0
}

/** Returns all links of a pair in the history. */
async function linksInHistory(batch: MicroBatch, pair: Pair): Promise<Place[]> {
  const left = batch.images.identifier.get(pair.kept)?.sightings ?? {}
  const right = batch.images.identifier.get(pair.refused)?.sightings ?? {}
  const { events, texts } = batch
  const shared = Object.keys(left).filter((stream) => Object.hasOwn(right, stream))
  const streams = shared.map((stream) => texts.code(stream))
  await batch.loadHistory(streams)
  const persons = personColumns(batch)
  const [kept, refused] = [texts.code(pair.kept), texts.code(pair.refused)]
  const isLink = (row: number) => {
    const isKept = persons[firstPerson(persons, row)]?.at(row) === kept
    return isKept && persons.some((column) => column.at(row) === refused)
  }
  return streams.flatMap((stream) =>
    Array.from(batch.historyOf(stream).filter(isLink), (row) => events.place(row)),
  )
}

/** Returns the attempts to link a pair. */
export function attemptsOf(pair: Pair, isCarried: IsCarried): Attempt[] {
  const { kept, refused, firstLink, aliases, ifCarried } = pair
  const attempts: Attempt[] = []
  if (firstLink !== null) attempts.push({ place: firstLink, kept, refused, isAlias: false })
  const met = ifCarried.filter(([from]) => isCarried(from)).map(([, place]) => place)
  const alias = earliest([...aliases, ...met])
  if (alias !== null) attempts.push({ place: alias, kept, refused, isAlias: true })
  return attempts
}
