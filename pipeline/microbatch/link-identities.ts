/**
 * What a batch's links, aliases and unlinks change: which identifiers belong to another person
 * than before, and which refusals come and go.
 *
 * Only the first link of a pair that no unlink cancels decides anything, so a component keeps that
 * one place, the aliases and the latest unlink for each pair; a batch that changes none of these
 * changes nobody. Otherwise the components its pairs touch are put together and decided anew,
 * from their pairs alone. Only an unlink that comes late, before links already seen, must look for
 * the next link in the history of the streams that carry both identifiers.
 */

import type { EventBatch } from '../decode/event-batch.ts'
import type { ComponentImage, IdentifierImage, Pair } from './state-store.ts'
import { comparePlaces, compareText, type Place } from '../base/event-order.ts'
import { namespaceOf } from '../base/identifier.ts'
import { resolvePersons, type Attempt, type Conflict } from '../stages/resolve-identity.ts'
import { diff, Rows } from './changelog.ts'
import { encodePart } from '../base/hash.ts'
import type { Turn } from './micro-batch.ts'

/** What a batch says of one pair. */
type Sayings = { kept: string; refused: string; links: Place[]; aliases: Place[]; unlinks: Place[] }

/**
 * Applies the batch's sayings to the images and fills `turn.moved`. The identifier images of
 * everything said must be loaded. `landedRow` maps a row of the batch to the turn's, -1 dropped.
 */
export async function relink(turn: Turn, batch: EventBatch, landedRow: Int32Array): Promise<void> {
  const newRows = Array.from({ length: turn.newCount }, (_, row) => row)
  const corrections = batch.corrections.flatMap(({ row, kind, a, b }) => {
    const landed = landedRow[row] as number
    return landed < 0 ? [] : [{ place: turn.events.place(landed), kind, a, b }]
  })
  const sayings = [...sayingsOf(turn, newRows, corrections).values()]
  if (sayings.length === 0) return
  const { identifier, component } = turn.images
  await component.load(
    sayings.flatMap(({ kept, refused }) =>
      [kept, refused].flatMap((name) => identifier.get(name)?.component ?? []),
    ),
  )
  const changed: Pair[] = []
  for (const saying of sayings) {
    const pair = await applySaying(turn, saying, pairOf(turn, saying))
    if (pair !== null) changed.push(pair)
  }
  for (const group of groupsOf(turn, changed)) await resolveGroup(turn, group)
}

/** An alias or unlink and where it was said. */
export type PlacedCorrection = { place: Place; kind: 'alias' | 'unlink'; a: string; b: string }

/**
 * Decides the components of `names` anew from what remains of their history; `erased` identifiers
 * are in none afterwards. The names' images must be loaded. Returns the keys the components had.
 */
export async function relinkRemaining(
  turn: Turn,
  names: Iterable<string>,
  erased: ReadonlySet<string>,
  corrections: readonly PlacedCorrection[],
): Promise<string[]> {
  const { identifier, component } = turn.images
  const keys = [...new Set([...names].flatMap((name) => identifier.get(name)?.component ?? []))]
  await component.load(keys)
  const old = keys.map((key) => component.get(key) as ComponentImage)
  const all = new Set(old.flatMap(({ members }) => members))
  await identifier.load(all)
  const members = new Set([...all].filter((name) => !erased.has(name)))
  const streams = new Set(
    [...members].flatMap((name) => Object.keys(identifier.get(name)?.sightings ?? {})),
  )
  await turn.loadHistory(streams)
  const rows = [...streams].flatMap((stream) => turn.remainingOf(stream))
  const about = corrections.filter(({ a, b }) => members.has(a) && members.has(b))
  const pairs: Pair[] = []
  for (const saying of sayingsOf(turn, rows, about).values()) {
    if (!members.has(saying.kept) || !members.has(saying.refused)) continue
    const { kept, refused } = saying
    const fresh = { kept, refused, firstLink: null, aliases: [], unlinked: null }
    const pair = await applySaying(turn, saying, fresh)
    if (pair !== null) pairs.push(pair)
  }
  const [key] = members
  if (key !== undefined) decide(turn, key, { members, pairs }, old)
  else
    changeConflicts(
      turn,
      old.flatMap(({ conflicts }) => conflicts),
      [],
    )
  return keys
}

/** Everything that rows and corrections say, by pair. */
function sayingsOf(
  turn: Turn,
  rows: Iterable<number>,
  corrections: readonly PlacedCorrection[],
): Map<string, Sayings> {
  const sayings = new Map<string, Sayings>()
  const of = (a: string, b: string): Sayings => {
    const [kept, refused] = inPriority(turn, a, b)
    const key = pairKey(kept, refused)
    let saying = sayings.get(key)
    if (saying === undefined) {
      saying = { kept, refused, links: [], aliases: [], unlinks: [] }
      sayings.set(key, saying)
    }
    return saying
  }
  for (const row of rows) {
    for (const [kept, refused] of linksOf(turn, row)) {
      of(kept, refused).links.push(turn.events.place(row))
    }
  }
  for (const { place, kind, a, b } of corrections) {
    if (a === b) continue
    const saying = of(a, b)
    const places = kind === 'alias' ? saying.aliases : saying.unlinks
    places.push(place)
  }
  return sayings
}

/** The pairs an event links: its highest-priority person identifier with each of the others. */
function linksOf(turn: Turn, row: number): [kept: string, refused: string][] {
  const { identifiers } = turn.events
  const persons = turn.compiled.identity.person.length
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

function inPriority(turn: Turn, a: string, b: string): [string, string] {
  const { person } = turn.compiled.identity
  const ahead = person.indexOf(namespaceOf(a)) - person.indexOf(namespaceOf(b)) || compareText(a, b)
  return ahead <= 0 ? [a, b] : [b, a]
}

function pairKey(kept: string, refused: string): string {
  return `${encodePart(kept)}/${encodePart(refused)}`
}

/** What is remembered of the pair. */
function pairOf(turn: Turn, { kept, refused }: Sayings): Pair {
  const key = turn.images.identifier.get(kept)?.component ?? null
  const component = key === null ? undefined : turn.images.component.get(key)
  const pair = component?.pairs.find((p) => p.kept === kept && p.refused === refused)
  return pair ?? { kept, refused, firstLink: null, aliases: [], unlinked: null }
}

/** The pair with the sayings applied, or null when they change nothing about it. */
async function applySaying(turn: Turn, saying: Sayings, pair: Pair): Promise<Pair | null> {
  const unlinked = latest([...saying.unlinks, ...(pair.unlinked === null ? [] : [pair.unlinked])])
  const counts = (place: Place) => unlinked === null || comparePlaces(place, unlinked) > 0
  const links = saying.links.filter(counts)
  if (pair.firstLink !== null) {
    if (counts(pair.firstLink)) links.push(pair.firstLink)
    else links.push(...(await linksInHistory(turn, pair)).filter(counts))
  }
  const aliases = [...pair.aliases, ...saying.aliases].filter(counts)
  const firstLink = earliest(links)
  const isSame =
    samePlace(firstLink, pair.firstLink) &&
    samePlace(unlinked, pair.unlinked) &&
    aliases.length === pair.aliases.length &&
    saying.aliases.length === 0
  return isSame ? null : { kept: pair.kept, refused: pair.refused, firstLink, aliases, unlinked }
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

/** All links of a pair on record. */
async function linksInHistory(turn: Turn, pair: Pair): Promise<Place[]> {
  const left = turn.images.identifier.get(pair.kept)?.sightings ?? {}
  const right = turn.images.identifier.get(pair.refused)?.sightings ?? {}
  const streams = Object.keys(left).filter((stream) => Object.hasOwn(right, stream))
  await turn.loadHistory(streams)
  return streams.flatMap((stream) =>
    (turn.oldRows.get(stream) ?? [])
      .filter((row) =>
        linksOf(turn, row).some(
          ([kept, refused]) => kept === pair.kept && refused === pair.refused,
        ),
      )
      .map((row) => turn.events.place(row)),
  )
}

/** Components, by key, and new pairs, that must be decided together. */
type Group = { components: Set<string>; members: Set<string>; pairs: Pair[] }

/** Puts together what the changed pairs connect. */
function groupsOf(turn: Turn, changed: Pair[]): Set<Group> {
  const groupOf = new Map<string, Group>()
  const groupFor = (name: string): Group => {
    const key = turn.images.identifier.get(name)?.component ?? null
    const members = key === null ? [name] : (turn.images.component.get(key)?.members ?? [])
    const known = groupOf.get(name)
    if (known !== undefined) return known
    const components = new Set(key === null ? [] : [key])
    const group: Group = { components, members: new Set(members), pairs: [] }
    for (const member of members) groupOf.set(member, group)
    return group
  }
  for (const pair of changed) {
    const left = groupFor(pair.kept)
    const right = groupFor(pair.refused)
    const [into, from] = left.members.size < right.members.size ? [right, left] : [left, right]
    if (into !== from) {
      for (const member of from.members) {
        into.members.add(member)
        groupOf.set(member, into)
      }
      for (const component of from.components) into.components.add(component)
      into.pairs.push(...from.pairs)
    }
    into.pairs.push(pair)
  }
  return new Set(groupOf.values())
}

/** Decides a group anew and writes down what that changes. */
async function resolveGroup(turn: Turn, group: Group): Promise<void> {
  const { identifier, component } = turn.images
  await identifier.load(group.members)
  const old = [...group.components].map((key) => component.get(key) as ComponentImage)
  const pairs = new Map<string, Pair>()
  for (const pair of [...old.flatMap((image) => image.pairs), ...group.pairs]) {
    pairs.set(pairKey(pair.kept, pair.refused), pair)
  }
  const key = largest(turn, group) ?? ([...group.members][0] as string)
  // What goes into another leaves no copy of what was said.
  for (const absorbed of group.components) {
    if (absorbed !== key) component.put(absorbed, { members: [], pairs: [], conflicts: [] })
  }
  decide(turn, key, { ...group, pairs: [...pairs.values()] }, old)
}

/** Decides a component from its pairs alone; `old` is what it was, in however many parts. */
function decide(
  turn: Turn,
  key: string,
  { members, pairs }: { members: Set<string>; pairs: Pair[] },
  old: ComponentImage[],
): void {
  const { identifier, component } = turn.images
  const { profileOf, conflicts } = resolvePersons(pairs.flatMap(attemptsOf), turn.compiled.identity)
  component.put(key, { members: [...members], pairs, conflicts })
  for (const member of members) {
    const profile = profileOf.get(member) ?? member
    const image = identifier.get(member) ?? freshIdentifier(member)
    if (image.profile !== profile) {
      turn.moved.set(member, { before: image.profile, after: profile })
    }
    if (image.component !== key || image.profile !== profile) {
      image.component = key
      image.profile = profile
      identifier.put(member, image)
    }
  }
  changeConflicts(
    turn,
    old.flatMap((image) => image.conflicts),
    conflicts,
  )
}

export function freshIdentifier(identifier: string): IdentifierImage {
  return { component: null, profile: identifier, sightings: {} }
}

function attemptsOf({ kept, refused, firstLink, aliases }: Pair): Attempt[] {
  const attempts: Attempt[] = []
  if (firstLink !== null) attempts.push({ place: firstLink, kept, refused, isAlias: false })
  const alias = earliest(aliases)
  if (alias !== null) attempts.push({ place: alias, kept, refused, isAlias: true })
  return attempts
}

/** The component with the most members keeps its key, so that the fewest images change. */
function largest(turn: Turn, group: Group): string | undefined {
  const size = (key: string) => turn.images.component.get(key)?.members.length ?? 0
  return [...group.components].sort((a, b) => size(b) - size(a))[0]
}

function changeConflicts(turn: Turn, before: Conflict[], after: Conflict[]): void {
  const change = turn.change('identity_conflict')
  diff(conflictRows(before), conflictRows(after), change, (_before, _row, _after, newRow) =>
    newRow < 0 ? 'identity' : 'late_event',
  )
}

function conflictRows(conflicts: Conflict[]): Rows {
  const rows = new Rows('identity_conflict')
  for (const { kept, refused, place } of conflicts) {
    rows.add(pairKey(kept, refused), [place[2], kept, refused, place[0]])
  }
  return rows
}
