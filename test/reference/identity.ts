/**
 * Reference of sessions and identity: computed from scratch, one event at a time,
 * without code of the pipeline. Simplicity matters more than speed here.
 */

import type { Identity, Sessions } from '../../pipeline/definition/settings.ts'
import type { Json } from '../../pipeline/base/json.ts'

export type AcceptedEvent = {
  event_id: string
  name: string
  /** Microseconds. */
  occurred_at: number
  ordinal: number
  source: string
  /** As stored. */
  identifiers: { [namespace: string]: string }
  properties: { [name: string]: Json }
  context: { [name: string]: Json }
  alias?: [string, string] | [string, string, 'if_carried']
  unlink?: [string, string]
}

const UNITS = { ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9, d: 8.64e10, w: 6.048e11 }

/** Returns the microseconds of a duration. */
export function micros(duration: string): number {
  const unit = duration.replace(/[0-9.]/g, '') as keyof typeof UNITS
  return Math.round(parseFloat(duration) * UNITS[unit])
}

/** Compares by code point. */
export function byCodePoint(a: string, b: string): number {
  const left = [...a].map((character) => character.codePointAt(0) as number)
  const right = [...b].map((character) => character.codePointAt(0) as number)
  for (let i = 0; ; i++) {
    const [l, r] = [left[i], right[i]]
    if (l === undefined || r === undefined) return left.length - right.length
    if (l !== r) return l - r
  }
}

export function inEventOrder(a: AcceptedEvent, b: AcceptedEvent): number {
  if (a.occurred_at !== b.occurred_at) return a.occurred_at - b.occurred_at
  if (a.ordinal !== b.ordinal) return a.ordinal - b.ordinal
  return byCodePoint(a.event_id, b.event_id)
}

const NOBODY =
  ',null,undefined,none,nil,unknown,anonymous,guest,-1,0,true,false,nan,[object object]'.split(',')

function isPlaceholder(value: string, identity: Identity): boolean {
  const lower = value.toLowerCase()
  if (NOBODY.includes(lower) || /^[-0]*$/.test(value)) return true
  return identity.ignore.some((ignored) => ignored.trim().toLowerCase() === lower)
}

/** Returns `namespace:value` of the given namespaces that an event carries, without placeholders. */
function carried(event: AcceptedEvent, namespaces: string[], identity: Identity): string[] {
  return namespaces.flatMap((namespace) => {
    const value = event.identifiers[namespace]
    if (value === undefined || isPlaceholder(value, identity)) return []
    return [`${namespace}:${value}`]
  })
}

export type ReferenceSession = {
  session_id: string
  stream: string
  profile_id: string
  events: AcceptedEvent[]
  started_because: string
}

function streamOf(event: AcceptedEvent, identity: Identity): string | undefined {
  return carried(event, [...identity.device, ...identity.person], identity)[0]
}

function same(a: Json, b: Json): boolean {
  return canonical(a) === canonical(b)
}

/** Returns JSON with sorted members. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((n) => `${JSON.stringify(n)}:${canonical(value[n] ?? null)}`).join()}}`
}

export function at(root: Json | undefined, path: string): Json | undefined {
  let value = root
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = Object.hasOwn(value, key) ? value[key] : undefined
  }
  return value ?? undefined
}

/** Returns the value at `source`, `name`, `properties.…` or `context.…` of an event. */
export function atPath(event: AcceptedEvent, path: string): Json | undefined {
  if (path === 'source' || path === 'name') return event[path]
  if (path.startsWith('context.')) return at(event.context, path.slice(8))
  return at(event.properties, path.slice('properties.'.length))
}

function cutStream(
  stream: string,
  events: AcceptedEvent[],
  identity: Identity,
  rules: Sessions,
): ReferenceSession[] {
  const sessions: ReferenceSession[] = []
  for (const event of events) {
    const session = sessions.at(-1)
    const because = session === undefined ? 'first' : whyNew(session, event, identity, rules)
    if (session !== undefined && because === null) session.events.push(event)
    else
      sessions.push({
        session_id: event.event_id,
        stream,
        profile_id: '',
        events: [event],
        started_because: because as string,
      })
  }
  return sessions
}

function whyNew(
  session: ReferenceSession,
  event: AcceptedEvent,
  identity: Identity,
  rules: Sessions,
): string | null {
  const last = session.events.at(-1) as AcceptedEvent
  const first = session.events[0] as AcceptedEvent
  if (event.occurred_at - last.occurred_at > micros(rules.gap)) return 'gap'
  for (const namespace of identity.exclusive) {
    const now = carried(event, [namespace], identity)[0]
    const seen = session.events.flatMap((e) => carried(e, [namespace], identity)).at(-1)
    if (now !== undefined && seen !== undefined && now !== seen) return 'person'
  }
  for (const path of rules.splitOn) {
    const now = atPath(event, path)
    const seen = session.events.map((e) => atPath(e, path)).filter((v) => v !== undefined)
    if (now === undefined || seen.length === 0) continue
    if (!same(now, seen.at(-1) as Json)) return 'split'
  }
  if (rules.maxDuration === undefined) return null
  return event.occurred_at - first.occurred_at > micros(rules.maxDuration) ? 'max_duration' : null
}

type Conflict = { event_id: string; kept: string; refused: string; occurred_at: number }
type Said = { event: AcceptedEvent; a: string; b: string; kind: 'link' | 'alias' | 'unlink' }

/** Returns all links, aliases and unlinks, in event order. */
function sayings(events: AcceptedEvent[], identity: Identity): Said[] {
  return events.flatMap((event) => {
    const [first, ...others] = carried(event, identity.person, identity)
    const said: Said[] = others.map((b) => ({ event, a: first as string, b, kind: 'link' }))
    for (const kind of ['alias', 'unlink'] as const) {
      const pair = event[kind]
      if (pair === undefined) continue
      const [a, b, condition] = pair
      if (!isPerson(a, identity) || !isPerson(b, identity)) continue
      const isMet = events.some((other) => carried(other, identity.person, identity).includes(a))
      if (condition === undefined || isMet) said.push({ event, a, b, kind })
    }
    return said
  })
}

function isPerson(identifier: string, identity: Identity): boolean {
  const [namespace = '', ...rest] = identifier.split(':')
  return identity.person.includes(namespace) && !isPlaceholder(rest.join(':'), identity)
}

function samePair(x: Said, y: Said): boolean {
  return (x.a === y.a && x.b === y.b) || (x.a === y.b && x.b === y.a)
}

/** Returns people, each a set of identifiers, and the refused links. */
function persons(events: AcceptedEvent[], identity: Identity): [Set<string>[], Conflict[]] {
  const said = sayings(events, identity)
  const standing = said.filter(
    (saying) =>
      saying.kind !== 'unlink' &&
      !said.some(
        (other) =>
          other.kind === 'unlink' &&
          samePair(saying, other) &&
          inEventOrder(saying.event, other.event) <= 0,
      ),
  )
  let groups: Set<string>[] = []
  const conflicts: Conflict[] = []
  const groupOf = (name: string) => {
    const known = groups.find((group) => group.has(name))
    if (known !== undefined) return known
    const fresh = new Set([name])
    groups.push(fresh)
    return fresh
  }
  for (const { event, a, b, kind } of standing) {
    const [left, right] = [groupOf(a), groupOf(b)]
    if (left === right) continue
    const clashes = identity.exclusive.some((namespace) =>
      [left, right].every((group) => [...group].some((name) => name.startsWith(`${namespace}:`))),
    )
    if (kind === 'link' && clashes) {
      if (conflicts.some((c) => c.kept === a && c.refused === b)) continue
      conflicts.push({
        event_id: event.event_id,
        kept: a,
        refused: b,
        occurred_at: event.occurred_at,
      })
      continue
    }
    groups = [...groups.filter((g) => g !== left && g !== right), new Set([...left, ...right])]
  }
  return [groups, conflicts]
}

function profileOf(name: string, groups: Set<string>[], identity: Identity): string {
  const group = groups.find((g) => g.has(name)) ?? new Set([name])
  for (const namespace of identity.person) {
    const own = [...group].filter((member) => member.startsWith(`${namespace}:`)).sort(byCodePoint)
    if (own[0] !== undefined) return own[0]
  }
  throw new Error(`${name} does not belong to a person namespace`)
}

/** Returns the identifier that names a session: of the highest-priority namespace, the last. */
function namedBy(session: ReferenceSession, identity: Identity): string | undefined {
  for (const namespace of identity.person) {
    const names = session.events.flatMap((event) => carried(event, [namespace], identity))
    if (names.length > 0) return names.at(-1)
  }
  return undefined
}

function assign(sessions: ReferenceSession[], groups: Set<string>[], identity: Identity): void {
  const names = sessions.map((session) => {
    const name = namedBy(session, identity)
    return name === undefined ? undefined : profileOf(name, groups, identity)
  })
  const people = new Set(names.filter((name) => name !== undefined)).size
  sessions.forEach((session, i) => {
    const before = names.slice(0, i).findLast((name) => name !== undefined)
    const after = names.slice(i + 1).find((name) => name !== undefined)
    const earliest = names.find((name) => name !== undefined)
    const walk = before ?? after ?? session.stream
    let profile = names[i]
    if (profile === undefined) {
      if (people > identity.maxPersonsPerDevice) profile = session.stream
      else if (people < 2 || identity.contested === 'last-known') profile = walk
      else if (identity.contested === 'anonymous') profile = session.stream
      else profile = earliest
    }
    session.profile_id = profile as string
  })
}

export type Placed = {
  /** In event order. Events that carry only placeholders are left out. */
  events: AcceptedEvent[]
  sessions: ReferenceSession[]
  conflicts: Conflict[]
  identities: {
    namespace: string
    value: string
    profile_id: string
    first_seen_at: number
    last_seen_at: number
    event_count: number
  }[]
}

export function place(all: AcceptedEvent[], identity: Identity, rules: Sessions): Placed {
  const events = all.filter((event) => streamOf(event, identity) !== undefined).sort(inEventOrder)
  const [groups, conflicts] = persons(events, identity)
  const streams = new Set(events.map((event) => streamOf(event, identity) as string))
  const sessions = [...streams].flatMap((stream) => {
    const own = events.filter((event) => streamOf(event, identity) === stream)
    const cut = cutStream(stream, own, identity, rules)
    assign(cut, groups, identity)
    return cut
  })
  return { events, sessions, conflicts, identities: seen(sessions, groups, identity) }
}

function seen(
  sessions: ReferenceSession[],
  groups: Set<string>[],
  identity: Identity,
): Placed['identities'] {
  const rows = new Map<string, Placed['identities'][number]>()
  for (const session of sessions) {
    for (const event of session.events) {
      for (const name of carried(event, [...identity.person, ...identity.device], identity)) {
        const namespace = name.split(':')[0] as string
        const value = name.slice(namespace.length + 1)
        const profile_id = identity.person.includes(namespace)
          ? profileOf(name, groups, identity)
          : session.profile_id
        const key = JSON.stringify([name, profile_id])
        const row = rows.get(key) ?? {
          namespace,
          value,
          profile_id,
          first_seen_at: Infinity,
          last_seen_at: -Infinity,
          event_count: 0,
        }
        rows.set(key, row)
        row.first_seen_at = Math.min(row.first_seen_at, event.occurred_at)
        row.last_seen_at = Math.max(row.last_seen_at, event.occurred_at)
        row.event_count += 1
      }
    }
  }
  return [...rows.values()]
}
