/**
 * Identity linking: applies links, aliases and unlinks of a batch, and returns the identifiers that
 * get another profile and the changes of refused pairs.
 *
 * A batch that changes no pair moves no identifier. Otherwise the components of the changed pairs
 * are merged and resolved again, from their pairs only (see `identity-pairs.ts`). So is the
 * component of an identifier that an event carries for the first time, if an alias waited for it.
 */

import { noSightings, type ComponentImage, type IdentifierImage, type Pair } from './image-cache.ts'
import { resolvePersons, type Attempt, type Conflict } from '../stages/resolve-identity.ts'
import type { Texts } from '../base/texts.ts'
import { Changes, diff, type Reason } from './rows/changelog.ts'
import { Rows } from './rows/rows.ts'
import {
  applySaying,
  attemptsOf,
  freshPair,
  pairKey,
  sayingsOf,
  StoredPairs,
  type IsCarried,
  type PlacedCorrection,
} from './identity-pairs.ts'
import type { MicroBatch } from './micro-batch.ts'

/** Identifiers that get another profile. */
export type Moves = Map<string, { before: string; after: string }>

/** Result of linking: what moves, and the changes of `identity_conflicts`. */
export type Linked = { moves: Moves; changes: Changes }

/** Applies the batch's links and `corrections` to the images of identifiers and components. The
 * identifier images of all of them must be loaded. */
export async function linkIdentities(
  batch: MicroBatch,
  corrections: readonly PlacedCorrection[],
): Promise<Linked> {
  const linked: Linked = { moves: new Map(), changes: new Changes(batch.texts) }
  const sayings = sayingsOf(batch, batch.newRows, corrections)
  const carried = carriedPersons(batch)
  const firstCarried: string[] = []
  for (const name of carried) if (isNamedAlone(batch, name)) firstCarried.push(name)
  if (sayings.length === 0 && firstCarried.length === 0) return linked
  const { identifier, component } = batch.images
  const components = new Set<string>()
  const addComponentOf = (name: string) => {
    const key = identifier.get(name)?.component ?? null
    if (key !== null) components.add(key)
  }
  for (const { kept, refused } of sayings) {
    addComponentOf(kept)
    addComponentOf(refused)
  }
  for (const name of firstCarried) addComponentOf(name)
  await component.load(components)
  const changed: Pair[] = []
  for (const name of firstCarried) changed.push(...pairsFrom(batch, name))
  const stored = new StoredPairs(batch)
  for (const saying of sayings) {
    const pair = await applySaying(batch, saying, stored.of(saying))
    if (pair !== null) changed.push(pair)
  }
  const isCarried = (name: string) => carried.has(name) || isSeen(identifier.get(name))
  for (const group of groupsOf(batch, changed)) await resolveGroup(batch, linked, group, isCarried)
  return linked
}

/** Returns the person identifiers that rows carry. */
function personsOn({ compiled, events, texts }: MicroBatch, rows: Iterable<number>): Set<string> {
  const persons = events.identifiers.slice(0, compiled.identity.person.length)
  const carried = new Set<number>()
  for (const row of rows) {
    for (const column of persons) if (column.at(row) >= 0) carried.add(column.at(row))
  }
  return new Set(texts.allOf(carried))
}

/** Returns the person identifiers that the new rows carry. */
function carriedPersons({ compiled, newNames, texts }: MicroBatch): Set<string> {
  const carried = new Set<string>()
  for (const names of newNames.slice(0, compiled.identity.person.length)) {
    for (let i = 0; i < names.length; i++) carried.add(texts.at(names.at(i)))
  }
  return carried
}

/** True for an identifier that corrections name and no event before this batch carries. */
function isNamedAlone(batch: MicroBatch, name: string): boolean {
  const image = batch.images.identifier.get(name)
  return image !== undefined && image.component !== null && !isSeen(image)
}

function isSeen(image: IdentifierImage | undefined): boolean {
  if (image === undefined) return false
  for (const _stream in image.sightings) return true
  return false
}

/** Pairs with aliases that count once an event carries the identifier. */
function pairsFrom(batch: MicroBatch, name: string): Pair[] {
  const key = batch.images.identifier.get(name)?.component ?? ''
  const pairs = batch.images.component.get(key)?.pairs ?? []
  return pairs.filter(({ ifCarried }) => ifCarried.some(([from]) => from === name))
}

/** Identifiers to be linked again without the events of an erased person. */
export type Relinking = {
  names: Iterable<string>
  /** Subset of `names` that belongs to no component afterwards. */
  erased: ReadonlySet<string>
  /** Corrections that remain. */
  corrections: readonly PlacedCorrection[]
}

/** Resolves the components of `names` again from their remaining history. The images of the names
 * must be loaded. Also returns the former component keys. */
export async function relinkRemaining(
  batch: MicroBatch,
  { names, erased, corrections }: Relinking,
): Promise<Linked & { components: string[] }> {
  const linked: Linked = { moves: new Map(), changes: new Changes(batch.texts) }
  const { identifier, component } = batch.images
  const keys = [...new Set([...names].flatMap((name) => identifier.get(name)?.component ?? []))]
  await component.load(keys)
  const old = keys.map((key) => component.get(key) as ComponentImage)
  const all = new Set(old.flatMap(({ members }) => members))
  await identifier.load(all)
  const members = new Set([...all].filter((name) => !erased.has(name)))
  const onStreams = [...members].flatMap((name) =>
    Object.keys(identifier.get(name)?.sightings ?? {}),
  )
  const streams = new Set(onStreams.map((stream) => batch.texts.code(stream)))
  await batch.loadHistory(streams)
  const rows = [...streams].flatMap((stream) => [...batch.remainingOf(stream)])
  const about = corrections.filter(({ a, b }) => members.has(a) && members.has(b))
  const pairs: Pair[] = []
  for (const saying of sayingsOf(batch, rows, about)) {
    if (!members.has(saying.kept) || !members.has(saying.refused)) continue
    const { kept, refused } = saying
    const pair = await applySaying(batch, saying, freshPair(kept, refused))
    if (pair !== null) pairs.push(pair)
  }
  const [key] = members
  const carried = personsOn(batch, rows)
  const isCarried = (name: string) => carried.has(name)
  if (key !== undefined) decide(batch, linked, key, { members, pairs }, old, isCarried)
  else
    changeConflicts(
      linked.changes,
      old.flatMap(({ conflicts }) => conflicts),
      [],
    )
  return { ...linked, components: keys }
}

/** Components, by key, and new pairs that are resolved together. */
type Group = { components: Set<string>; members: Set<string>; pairs: Pair[] }

/** Groups the components that the changed pairs connect. */
function groupsOf(batch: MicroBatch, changed: Pair[]): Set<Group> {
  const groupOf = new Map<string, Group>()
  for (const pair of changed) {
    const left = groupFor(batch, groupOf, pair.kept)
    const right = groupFor(batch, groupOf, pair.refused)
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

/** Returns the group of an identifier, at first its component. */
function groupFor(batch: MicroBatch, groupOf: Map<string, Group>, name: string): Group {
  const known = groupOf.get(name)
  if (known !== undefined) return known
  const key = batch.images.identifier.get(name)?.component ?? null
  const members = key === null ? [name] : (batch.images.component.get(key)?.members ?? [])
  const components = new Set(key === null ? [] : [key])
  const group: Group = { components, members: new Set(members), pairs: [] }
  for (const member of members) groupOf.set(member, group)
  return group
}

/** Resolves a group again and adds what that changes to `linked`. */
async function resolveGroup(
  batch: MicroBatch,
  linked: Linked,
  group: Group,
  isCarried: IsCarried,
): Promise<void> {
  const { identifier, component } = batch.images
  await identifier.load(group.members)
  const old = [...group.components].map((key) => component.get(key) as ComponentImage)
  const pairs = new Map<string, Pair>()
  for (const pair of [...old.flatMap((image) => image.pairs), ...group.pairs]) {
    pairs.set(pairKey(pair.kept, pair.refused), pair)
  }
  const key = largest(batch, group) ?? ([...group.members][0] as string)
  // A component that was merged into another has no pairs of its own.
  for (const absorbed of group.components) {
    if (absorbed !== key) component.put(absorbed, { members: [], pairs: [], conflicts: [] })
  }
  decide(batch, linked, key, { ...group, pairs: [...pairs.values()] }, old, isCarried)
}

/** Resolves a component from its pairs. `old` are the components it was made of. */
function decide(
  batch: MicroBatch,
  linked: Linked,
  key: string,
  { members, pairs }: { members: Set<string>; pairs: Pair[] },
  old: ComponentImage[],
  isCarried: IsCarried,
): void {
  const { identifier, component } = batch.images
  const attempts: Attempt[] = []
  for (const pair of pairs) attempts.push(...attemptsOf(pair, isCarried))
  const { profileOf, conflicts } = resolvePersons(attempts, batch.compiled.identity)
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
  return { component: null, profile: identifier, sightings: noSightings() }
}

/** The component with the most members keeps its key, so that the fewest images change. */
function largest(batch: MicroBatch, group: Group): string | undefined {
  const size = (key: string) => batch.images.component.get(key)?.members.length ?? 0
  return [...group.components].sort((a, b) => size(b) - size(a))[0]
}

function changeConflicts(
  changes: Changes,
  before: readonly Conflict[],
  after: readonly Conflict[],
): void {
  if (before.length === 0 && after.length === 0) return
  const { texts } = changes
  const change = changes.of('identity_conflict')
  diff(conflictRows(before, texts), conflictRows(after, texts), change, CONFLICT_REASON)
}

const CONFLICT_REASON: Reason = {
  of: (_row, newRow) => (newRow < 0 ? 'identity' : 'late_event'),
}

function conflictRows(conflicts: readonly Conflict[], texts: Texts): Rows<'identity_conflict'> {
  const rows = new Rows('identity_conflict', texts)
  const { columns: c } = rows
  for (const { kept, refused, place } of conflicts) {
    rows.keys.push(pairKey(kept, refused))
    c.event_id.push(texts.code(place[2]))
    c.kept.push(texts.code(kept))
    c.refused.push(texts.code(refused))
    c.occurred_at.push(place[0])
  }
  return rows
}
