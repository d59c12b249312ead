/**
 * Reference of all tables, with which the pipeline is compared: computed from scratch, row by row,
 * without code of the pipeline.
 *
 * Ids that are hashes in the product are texts here. A transition is
 * `journey|version|instance|track|cause|event or instant`, and so is the stay it enters; a cycle is
 * its closing transition and `|cycle`. Effects are those of current transitions; `outbox.ts`
 * derives the outbox from them.
 */

import {
  tracksOf,
  type Candidate,
  type Candidates,
  type Effect,
  type Journey,
  type Track,
} from '../../pipeline/definition/journey.ts'
import type { Guard } from '../../pipeline/definition/guard-syntax.ts'
import type { Identity, Sessions } from '../../pipeline/definition/settings.ts'
import type { Json } from '../../pipeline/base/json.ts'
import { at, inEventOrder, micros, place, type AcceptedEvent } from './identity.ts'
import type { EventFunnel } from '../../pipeline/definition/funnel.ts'
import { compare } from './compare.ts'
import { effectRows } from './effects.ts'
import { funnelTables } from './funnel.ts'

export type { AcceptedEvent } from './identity.ts'
export type Row = { [column: string]: Json }
export type ReferenceDefinitions = {
  identity: Identity
  sessions: Sessions
  journeys: Journey[]
  funnels?: EventFunnel[]
}
export type ReferenceTables = { [view: string]: Row[] }

export const VIEWS = [
  'event_profiles',
  'sessions',
  'identities',
  'identity_conflicts',
  'transitions',
  'states',
  'cycles',
  'rejections',
  'funnel_attempts',
  'funnel_attempt_steps',
]

type Seen = { event: AcceptedEvent; profile_id: string; session_id: string }

export function reference(
  accepted: AcceptedEvent[],
  definitions: ReferenceDefinitions,
  watermark: number | null,
): ReferenceTables {
  const { identity, sessions: rules, journeys } = definitions
  const placed = place(accepted, identity, rules)
  const seen: Seen[] = placed.sessions
    .flatMap(({ session_id, profile_id, events }) =>
      events.map((event) => ({ event, profile_id, session_id })),
    )
    .sort((x, y) => inEventOrder(x.event, y.event))
  const tables: ReferenceTables = Object.fromEntries(VIEWS.map((view) => [view, []]))
  tables['effects'] = []
  tables['identities'] = placed.identities
  tables['identity_conflicts'] = placed.conflicts
  tables['event_profiles'] = seen.map(({ event, profile_id, session_id }) => ({
    event_id: event.event_id,
    profile_id,
    session_id,
  }))
  const inOrder = placed.sessions.toSorted((x, y) =>
    inEventOrder(x.events[0] as AcceptedEvent, y.events[0] as AcceptedEvent),
  )
  const counts = new Map<string, number>()
  for (const session of inOrder) {
    const first = session.events[0] as AcceptedEvent
    const last = session.events.at(-1) as AcceptedEvent
    counts.set(session.profile_id, (counts.get(session.profile_id) ?? 0) + 1)
    tables['sessions']?.push({
      session_id: session.session_id,
      stream: session.stream,
      profile_id: session.profile_id,
      session_no: counts.get(session.profile_id) as number,
      started_at: first.occurred_at,
      ended_at: last.occurred_at,
      event_count: session.events.length,
      first_event: first.name,
      last_event: last.name,
      source: first.source,
      started_because: session.started_because,
    })
  }
  for (const journey of journeys) {
    for (const profile of new Set(seen.map(({ profile_id }) => profile_id))) {
      const own = seen.filter(({ profile_id }) => profile_id === profile)
      for (const [key, events] of byKey(journey, own)) {
        new Runner(journey, profile, key, tables).run(events, watermark)
      }
    }
  }
  const transitions = tables['transitions'] ?? []
  return { ...tables, ...funnelTables(definitions, seen, transitions, watermark ?? -Infinity) }
}

/** Groups a journey's events by instance key; null if it has none. Events without a key are left
 * out. */
function byKey(journey: Journey, seen: Seen[]): Map<string | null, Seen[]> {
  if (journey.key === undefined) return new Map([[null, seen]])
  const groups = new Map<string, Seen[]>()
  for (const one of seen) {
    const value = at(one.event.properties, journey.key.property)
    if (value === undefined || typeof value === 'object') continue
    const key = typeof value === 'string' ? value : JSON.stringify(value)
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return groups
}

const encode = (part: string) => part.split('%').join('%25').split('/').join('%2F')
const candidatesOf = (list: Candidates): Candidate[] =>
  (Array.isArray(list) ? list : [list]).map((c) => (typeof c === 'string' ? { target: c } : c))

type Stand = {
  name: string
  track: Track
  state: string
  enteredAt: number
  /** Delays of the current stay that have not fired, in firing order. */
  pending: { due: number; list: Candidates }[]
  visits: { [state: string]: number }
  path: { state: string; at: number }[]
  cycles: number
  stay: Row | null
}

/** One profile (and key) in one journey. */
class Runner {
  private stands: Stand[] = []
  private counts: { [name: string]: number } = {}
  private seq = 0
  private instanceNo = 0
  private instanceId = ''
  private startEventId = ''
  private isRunning = false

  private readonly journey: Journey
  private readonly profile: string
  private readonly key: string | null
  private readonly tables: ReferenceTables

  constructor(journey: Journey, profile: string, key: string | null, tables: ReferenceTables) {
    this.journey = journey
    this.profile = profile
    this.key = key
    this.tables = tables
  }

  run(seen: Seen[], watermark: number | null): void {
    for (const one of seen) {
      this.fire(one.event.occurred_at)
      this.take(one)
    }
    if (watermark !== null) this.fire(watermark)
  }

  private knows(name: string): boolean {
    if (this.journey.startOn?.includes(name) || this.journey.ignore?.includes(name)) return true
    return tracksOf(this.journey).some(([, track]) =>
      [track, ...Object.values(track.states)].some(
        (holder) => Object.hasOwn(holder.on ?? {}, name) || holder.ignore?.includes(name),
      ),
    )
  }

  private starts(name: string): boolean {
    const { startOn } = this.journey
    if (startOn !== undefined && startOn.length > 0) return startOn.includes(name)
    return tracksOf(this.journey).some(([, track]) =>
      [track, ...Object.values(track.states)].some((holder) =>
        Object.hasOwn(holder.on ?? {}, name),
      ),
    )
  }

  private take(one: Seen): void {
    const { event } = one
    const isComplete = this.stands.length > 0 && this.stands.every((s) => this.isFinal(s))
    let isStart = false
    if (!this.isRunning || (isComplete && this.journey.restart === true)) {
      if (!this.starts(event.name)) return
      this.start(one)
      isStart = true
    } else if (isComplete) return
    if (this.stands.every((s) => this.isFinal(s))) return
    this.counts[event.name] = (this.counts[event.name] ?? 0) + 1
    if (this.knows(event.name)) this.apply(one, isStart)
  }

  private isFinal(stand: Stand): boolean {
    return stand.track.states[stand.state]?.type === 'final'
  }

  private start(one: Seen): void {
    this.isRunning = true
    this.counts = {}
    this.seq = 0
    this.instanceNo += 1
    this.startEventId = one.event.event_id
    const parts = [this.profile, ...(this.key === null ? [] : [this.key]), one.event.event_id]
    this.instanceId = parts.map(encode).join('/')
    this.stands = tracksOf(this.journey).map(([name, track]) => ({
      name,
      track,
      state: '',
      enteredAt: 0,
      pending: [],
      visits: {},
      path: [],
      cycles: 0,
      stay: null,
    }))
    for (const stand of this.stands) {
      this.enter(stand, stand.track.initial, 'start', one.event.occurred_at, one, [])
    }
  }

  private apply(one: Seen, isStart: boolean): void {
    const { name, occurred_at } = one.event
    const frozen = this.stands.map((s) => ({ ...s, visits: { ...s.visits } }))
    const decisions = this.stands.map((stand) => {
      const own = stand.track.states[stand.state]
      const journeyIgnores = (this.journey.ignore ?? []).includes(name)
      const ownNames = Object.hasOwn(own?.on ?? {}, name) || (own?.ignore ?? []).includes(name)
      const rootNames =
        Object.hasOwn(stand.track.on ?? {}, name) || (stand.track.ignore ?? []).includes(name)
      if (this.isFinal(stand)) {
        const lists = [own?.ignore, stand.track.ignore, this.journey.ignore]
        return lists.some((list) => list?.includes(name)) ? 'ignored' : 'not_accepted'
      }
      const holder = ownNames ? own : rootNames ? stand.track : null
      if (holder === null || holder === undefined)
        return journeyIgnores ? 'ignored' : 'not_accepted'
      const list = Object.hasOwn(holder.on ?? {}, name) ? (holder.on?.[name] as Candidates) : []
      const candidates = candidatesOf(list)
      const taken = candidates.find((c) =>
        this.holds(c.guard, stand.name, frozen, occurred_at, one),
      )
      if (taken !== undefined) return taken
      if (holder.ignore?.includes(name)) return 'ignored'
      return candidates.length > 0 ? 'guard_failed' : 'not_accepted'
    })
    const isTaken = decisions.some((decision) => typeof decision === 'object')
    if (!isTaken && !decisions.includes('ignored') && !isStart) {
      this.tables['rejections']?.push({
        event_id: one.event.event_id,
        event_name: name,
        journey: this.journey.id,
        version: this.journey.version,
        instance_id: this.instanceId,
        profile_id: this.profile,
        state: this.stands.map((s) => s.state).join('|'),
        reason: decisions.includes('guard_failed') ? 'guard_failed' : 'not_accepted',
        occurred_at,
        session_id: one.session_id,
      })
    }
    decisions.forEach((decision, i) => {
      if (typeof decision !== 'object') return
      const effects = decision.effects ?? []
      this.enter(this.stands[i] as Stand, decision.target, 'event', occurred_at, one, effects)
    })
  }

  /** Decides every timeout due up to the instant. */
  private fire(limit: number): void {
    for (;;) {
      const due = Math.min(...this.stands.flatMap((s) => s.pending.map((p) => p.due)))
      if (!(due <= limit)) return
      const stand = this.stands.find((s) => s.pending.some((p) => p.due === due)) as Stand
      const at = stand.pending.findIndex((p) => p.due === due)
      const [timeout] = stand.pending.splice(at, 1)
      const taken = candidatesOf(timeout?.list ?? []).find((c) =>
        this.holds(c.guard, stand.name, this.stands, due, null),
      )
      if (taken === undefined) continue
      this.enter(stand, taken.target, 'timeout', due, null, taken.effects ?? [])
    }
  }

  private enter(
    stand: Stand,
    to: string,
    how: string,
    at: number,
    one: Seen | null,
    effects: Effect[],
  ): void {
    const { id: journey, version } = this.journey
    const own = { journey, version, instance_id: this.instanceId }
    const named = { ...own, instance_no: this.instanceNo, profile_id: this.profile }
    const by = one === null ? String(at) : one.event.event_id
    const id = [journey, version, this.instanceId, stand.name, how, by].join('|')
    const visit = (stand.visits[to] ?? 0) + 1
    stand.visits[to] = visit
    this.seq += 1
    this.tables['transitions']?.push({
      transition_id: id,
      ...named,
      track: stand.name,
      seq: this.seq,
      cause: how,
      from_state: how === 'start' ? null : stand.state,
      to_state: to,
      event_id: one?.event.event_id ?? null,
      event_name: one?.event.name ?? null,
      source: one?.event.source ?? null,
      session_id: one?.session_id ?? null,
      occurred_at: at,
      dwell_ms: how === 'start' ? null : Math.floor((at - stand.enteredAt) / 1000),
      visit,
    })
    if (stand.stay !== null) {
      stand.stay['exited_at'] = at
      stand.stay['exited_by'] = id
    }
    const definition = stand.track.states[to]
    stand.stay = {
      state_id: id,
      ...named,
      track: stand.name,
      state: to,
      visit,
      entered_at: at,
      exited_at: null,
      exited_by: null,
      is_final: definition?.type === 'final',
    }
    this.tables['states']?.push(stand.stay)
    const cause = one === null ? `${at}@${this.startEventId}` : one.event.event_id
    const where = [journey, version, encode(this.key ?? ''), stand.name, how].join('/')
    const carried = { ...own, profile_id: this.profile, occurred_at: at }
    const all = [...effects, ...(definition?.effects ?? [])]
    this.tables['effects']?.push(...effectRows(all, { where, cause, carried }))
    stand.state = to
    stand.enteredAt = at
    stand.pending = Object.entries(definition?.after ?? {})
      .map(([delay, list]) => ({ due: at + micros(delay), list }))
      .sort((x, y) => x.due - y.due)
    this.erase(stand, to, at, id, own)
  }

  private erase(stand: Stand, to: string, now: number, id: string, own: Row): void {
    const from = stand.path.findIndex((step) => step.state === to)
    if (from >= 0) {
      const loop = stand.path.slice(from)
      const startedAt = (loop[0] as { at: number }).at
      stand.cycles += 1
      this.tables['cycles']?.push({
        cycle_id: `${id}|cycle`,
        ...own,
        profile_id: this.profile,
        track: stand.name,
        cycle_no: stand.cycles,
        anchor: to,
        path: [...loop.map((step) => step.state), to].join(' > '),
        length: loop.length,
        started_at: startedAt,
        ended_at: now,
        duration_ms: Math.floor((now - startedAt) / 1000),
        closed_by: id,
      })
      stand.path = stand.path.slice(0, from)
    }
    stand.path.push({ state: to, at: now })
  }

  private holds(
    guard: Guard | undefined,
    track: string,
    stands: Stand[],
    now: number,
    one: Seen | null,
  ): boolean {
    if (guard === undefined) return true
    const inner = (g: Guard) => this.holds(g, track, stands, now, one)
    if ('all' in guard) return guard.all.every(inner)
    if ('any' in guard) return guard.any.some(inner)
    if ('not' in guard) return !inner(guard.not)
    const own = stands.find((s) => s.name === track) as Stand
    if ('dwell' in guard) {
      const { gte, lt } = guard.dwell
      const dwell = now - own.enteredAt
      return (gte === undefined || dwell >= micros(gte)) && (lt === undefined || dwell < micros(lt))
    }
    if ('property' in guard) return compare(at(one?.event.properties, guard.property), guard)
    if ('context' in guard) return compare(at(one?.event.context, guard.context), guard)
    if ('field' in guard) return compare(one?.event[guard.field], guard)
    if ('count' in guard) return compare(this.counts[guard.count] ?? 0, guard)
    const find = (name: string): [Stand, string] => {
      const [left = '', right] = name.split('.')
      if (right === undefined) return [own, left]
      return [stands.find((s) => s.name === left) as Stand, right]
    }
    if ('visits' in guard) {
      const [stand, state] = find(guard.visits)
      return compare(stand.visits[state] ?? 0, guard)
    }
    const [stand, state] = find(guard.in)
    return stand.state === state
  }
}
