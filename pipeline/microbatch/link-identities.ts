/**
 * Links, aliases and unlinks of a batch → identifiers that get another profile, and refused pairs
 * that come and go.
 *
 * Only the first link of a pair that no unlink cancels decides anything. So a component keeps, for
 * each pair, the place of that link, the aliases and the latest unlink; a batch that changes none
 * of these moves no identifier. Otherwise the components its pairs touch are merged and resolved
 * again, from their pairs alone. Only a late unlink, before links already seen, must look for the
 * next link in the history of the streams that carry both identifiers.
 */

import type { ComponentImage, IdentifierImage, Pair } from './state-store.ts'
import { comparePlaces, compareText, type Place } from '../base/event-order.ts'
import { namespaceOf } from '../base/identifier.ts'
import { resolvePersons, type Attempt, type Conflict } from '../stages/resolve-identity.ts'
import { Changes, diff, Rows } from './changelog.ts'
import { encodePart } from '../base/hash.ts'
import type { MicroBatch } from './micro-batch.ts'

/** Identifiers that get another profile. */
export type Moves = Map<string, { before: string; after: string }>

/** Result of linking: what moves, and the changes of `identity_conflicts`. */
export type Linked = { moves: Moves; changes: Changes }

/** Links, aliases and unlinks of one pair in a batch. */
type Sayings = { kept: string; refused: string; links: Place[]; aliases: Place[]; unlinks: Place[] }

/** Applies the batch's links and `corrections` to the images of identifiers and components. The
 * identifier images of all of them must be loaded. */
export async function linkIdentities(
  batch: MicroBatch,
  corrections: readonly PlacedCorrection[],
): Promise<Linked> {
  const linked: Linked = { moves: new Map(), changes: new Changes() }
  const newRows = Array.from({ length: batch.newCount }, (_, row) => row)
  const sayings = [...sayingsOf(batch, newRows, corrections).values()]
  if (sayings.length === 0) return linked
  const { identifier, component } = batch.images
  await component.load(
    sayings.flatMap(({ kept, refused }) =>
      [kept, refused].flatMap((name) => identifier.get(name)?.component ?? []),
    ),
  )
  const changed: Pair[] = []
  for (const saying of sayings) {
    const pair = await applySaying(batch, saying, pairOf(batch, saying))
    if (pair !== null) changed.push(pair)
  }
  for (const group of groupsOf(batch, changed)) await resolveGroup(batch, linked, group)
  return linked
}

/** An alias or unlink and the place of its event. */
export type PlacedCorrection = { place: Place; kind: 'alias' | 'unlink'; a: string; b: string }

/** Identifiers to be linked again without the events of an erased person. */
export type Relinking = {
  names: Iterable<string>
  /** Of these, identifiers that belong to no component afterwards. */
  erased: ReadonlySet<string>
  /** Corrections that remain. */
  corrections: readonly PlacedCorrection[]
}

/** Resolves the components of `names` again from what remains of their history. The names' images
 * must be loaded. Returns the keys that the components had, too. */
export async function relinkRemaining(
  batch: MicroBatch,
  { names, erased, corrections }: Relinking,
): Promise<Linked & { components: string[] }> {
  const linked: Linked = { moves: new Map(), changes: new Changes() }
  const { identifier, component } = batch.images
  const keys = [...new Set([...names].flatMap((name) => identifier.get(name)?.component ?? []))]
  await component.load(keys)
  const old = keys.map((key) => component.get(key) as ComponentImage)
  const all = new Set(old.flatMap(({ members }) => members))
  await identifier.load(all)
  const members = new Set([...all].filter((name) => !erased.has(name)))
  const streams = new Set(
    [...members].flatMap((name) => Object.keys(identifier.get(name)?.sightings ?? {})),
  )
  await batch.loadHistory(streams)
  const rows = [...streams].flatMap((stream) => batch.remainingOf(stream))
  const about = corrections.filter(({ a, b }) => members.has(a) && members.has(b))
  const pairs: Pair[] = []
  for (const saying of sayingsOf(batch, rows, about).values()) {
    if (!members.has(saying.kept) || !members.has(saying.refused)) continue
    const { kept, refused } = saying
    const fresh = { kept, refused, firstLink: null, aliases: [], unlinked: null }
    const pair = await applySaying(batch, saying, fresh)
    if (pair !== null) pairs.push(pair)
  }
  const [key] = members
  if (key !== undefined) decide(batch, linked, key, { members, pairs }, old)
  else
    changeConflicts(
      linked.changes,
      old.flatMap(({ conflicts }) => conflicts),
      [],
    )
  return { ...linked, components: keys }
}

/** Links, aliases and unlinks of rows and corrections, by pair. */
function sayingsOf(
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
      saying = { kept, refused, links: [], aliases: [], unlinks: [] }
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
    const places = kind === 'alias' ? saying.aliases : saying.unlinks
    places.push(place)
  }
  return sayings
}

/** The pairs an event links: its highest-priority person identifier with each of the others. */
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

function pairKey(kept: string, refused: string): string {
  return `${encodePart(kept)}/${encodePart(refused)}`
}

/** The pair as its component has it. */
function pairOf(batch: MicroBatch, { kept, refused }: Sayings): Pair {
  const key = batch.images.identifier.get(kept)?.component ?? null
  const component = key === null ? undefined : batch.images.component.get(key)
  const pair = component?.pairs.find((p) => p.kept === kept && p.refused === refused)
  return pair ?? { kept, refused, firstLink: null, aliases: [], unlinked: null }
}

/** Returns the pair with the batch's links and corrections applied; null if nothing changes. */
async function applySaying(batch: MicroBatch, saying: Sayings, pair: Pair): Promise<Pair | null> {
  const unlinked = latest([...saying.unlinks, ...(pair.unlinked === null ? [] : [pair.unlinked])])
  const counts = (place: Place) => unlinked === null || comparePlaces(place, unlinked) > 0
  const links = saying.links.filter(counts)
  if (pair.firstLink !== null) {
    if (counts(pair.firstLink)) links.push(pair.firstLink)
    else links.push(...(await linksInHistory(batch, pair)).filter(counts))
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

/** Components, by key, and new pairs, that must be resolved together. */
type Group = { components: Set<string>; members: Set<string>; pairs: Pair[] }

/** Groups the components that the changed pairs connect. */
function groupsOf(batch: MicroBatch, changed: Pair[]): Set<Group> {
  const groupOf = new Map<string, Group>()
  const groupFor = (name: string): Group => {
    const key = batch.images.identifier.get(name)?.component ?? null
    const members = key === null ? [name] : (batch.images.component.get(key)?.members ?? [])
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

/** Resolves a group again and adds what that changes to `linked`. */
async function resolveGroup(batch: MicroBatch, linked: Linked, group: Group): Promise<void> {
  const { identifier, component } = batch.images
  await identifier.load(group.members)
  const old = [...group.components].map((key) => component.get(key) as ComponentImage)
  const pairs = new Map<string, Pair>()
  for (const pair of [...old.flatMap((image) => image.pairs), ...group.pairs]) {
    pairs.set(pairKey(pair.kept, pair.refused), pair)
  }
  const key = largest(batch, group) ?? ([...group.members][0] as string)
  // A component that is merged into another leaves no pairs behind.
  for (const absorbed of group.components) {
    if (absorbed !== key) component.put(absorbed, { members: [], pairs: [], conflicts: [] })
  }
  decide(batch, linked, key, { ...group, pairs: [...pairs.values()] }, old)
}

/** Resolves a component from its pairs alone; `old` are the components it is made of. */
function decide(
  batch: MicroBatch,
  linked: Linked,
  key: string,
  { members, pairs }: { members: Set<string>; pairs: Pair[] },
  old: ComponentImage[],
): void {
  const { identifier, component } = batch.images
  const { profileOf, conflicts } = resolvePersons(
    pairs.flatMap(attemptsOf),
    batch.compiled.identity,
  )
  component.put(key, { members: [...members], pairs, conflicts })
  for (const member of members) {
    const profile = profileOf.get(member) ?? member
    const image = identifier.get(member) ?? freshIdentifier(member)
    if (image.profile !== profile) {
      const before = linked.moves.get(member)?.before ?? image.profile
      linked.moves.set(member, { before, after: profile })
    }
    if (image.component !== key || image.profile !== profile) {
      image.component = key
      image.profile = profile
      identifier.put(member, image)
    }
  }
  changeConflicts(
    linked.changes,
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
function largest(batch: MicroBatch, group: Group): string | undefined {
  const size = (key: string) => batch.images.component.get(key)?.members.length ?? 0
  return [...group.components].sort((a, b) => size(b) - size(a))[0]
}

function changeConflicts(changes: Changes, before: Conflict[], after: Conflict[]): void {
  const change = changes.of('identity_conflict')
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
