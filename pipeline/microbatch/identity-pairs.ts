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
import type { Attempt } from '../stages/resolve-identity.ts'
import type { MicroBatch } from './micro-batch.ts'
import type { Pair } from './image-cache.ts'

/** Links, aliases and unlinks of one pair in a batch. */
export type Sayings = {
  kept: string
  refused: string
  links: Place[]
  aliases: Place[]
  ifCarried: Pair['ifCarried']
  unlinks: Place[]
}

/** Returns whether some event carries a person identifier. */
export type IsCarried = (identifier: string) => boolean

/** An alias or unlink and the place of its event. An alias goes from `a` to `b`. */
export type PlacedCorrection = { place: Place; kind: CorrectionKind; a: string; b: string }

/** Links, aliases and unlinks of rows and corrections, by pair. */
export function sayingsOf(
  batch: MicroBatch,
  rows: Iterable<number>,
  corrections: readonly PlacedCorrection[],
): Map<string, Sayings> {
  const sayings = new Map<string, Sayings>()
  const of = (a: string, b: string): Sayings => {
    const [kept, refused] = inPriority(batch, a, b)
    const key = pairKey(kept, refused)
    let saying = sayings.get(key)
    if (saying === undefined) {
      saying = { kept, refused, links: [], aliases: [], ifCarried: [], unlinks: [] }
      sayings.set(key, saying)
    }
    return saying
  }
  for (const row of rows) {
    for (const [kept, refused] of linksOf(batch, row)) {
      of(kept, refused).links.push(batch.events.place(row))
    }
  }
  for (const { place, kind, a, b } of corrections) {
    if (a === b) continue
    const saying = of(a, b)
    if (kind === 'alias') saying.aliases.push(place)
    else if (kind === 'unlink') saying.unlinks.push(place)
    else saying.ifCarried.push([a, place])
  }
  return sayings
}

/** Returns the pairs that an event links: its highest-priority person identifier with each other. */
function linksOf(batch: MicroBatch, row: number): [kept: string, refused: string][] {
  const { identifiers } = batch.events
  const persons = batch.compiled.identity.person.length
  const links: [string, string][] = []
  let kept: string | undefined
  for (let n = 0; n < persons; n++) {
    const person = identifiers[n]?.[row]
    if (person === undefined) continue
    if (kept === undefined) kept = person
    else links.push([kept, person])
  }
  return links
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

/** Returns the pair as its component stores it. */
export function pairOf(batch: MicroBatch, { kept, refused }: Sayings): Pair {
  const key = batch.images.identifier.get(kept)?.component ?? null
  const component = key === null ? undefined : batch.images.component.get(key)
  const pair = component?.pairs.find((p) => p.kept === kept && p.refused === refused)
  return pair ?? freshPair(kept, refused)
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
  const unlinked = latest([...saying.unlinks, ...(pair.unlinked === null ? [] : [pair.unlinked])])
  const counts = (place: Place) => unlinked === null || comparePlaces(place, unlinked) > 0
  const links = saying.links.filter(counts)
  if (pair.firstLink !== null) {
    if (counts(pair.firstLink)) links.push(pair.firstLink)
    else links.push(...(await linksInHistory(batch, pair)).filter(counts))
  }
  const aliases = [...pair.aliases, ...saying.aliases].filter(counts)
  const ifCarried = [...pair.ifCarried, ...saying.ifCarried].filter(([, place]) => counts(place))
  const firstLink = earliest(links)
  const isSame =
    samePlace(firstLink, pair.firstLink) &&
    samePlace(unlinked, pair.unlinked) &&
    aliases.length === pair.aliases.length &&
    ifCarried.length === pair.ifCarried.length &&
    saying.aliases.length + saying.ifCarried.length === 0
  return isSame ? null : { ...pair, firstLink, aliases, ifCarried, unlinked }
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
  const streams = Object.keys(left).filter((stream) => Object.hasOwn(right, stream))
  await batch.loadHistory(streams)
  return streams.flatMap((stream) =>
    batch
      .historyOf(stream)
      .filter((row) =>
        linksOf(batch, row).some(
          ([kept, refused]) => kept === pair.kept && refused === pair.refused,
        ),
      )
      .map((row) => batch.events.place(row)),
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
