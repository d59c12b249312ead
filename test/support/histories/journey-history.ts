/**
 * Journeys over histories written as text tables (see `history.ts`), folded without a warehouse.
 * Columns before `->` are `at`, `user_id`, `event`, `props` and `ordinal`.
 *
 * Every history is folded at once, and again event by event with the watermark following. Both must
 * give the same rows.
 */

import { expect } from 'vitest'
import { valueAt } from '../../../pipeline/base/json.ts'
import { Texts } from '../../../pipeline/base/texts.ts'
import { compile, type Compiled } from '../../../pipeline/definition/compile.ts'
import { makeDefinitions } from '../../../pipeline/definition/load.ts'
import type { DueEffect } from '../../../pipeline/microbatch/rows/due-effects.ts'
import { tabulate } from '../../../pipeline/microbatch/rows/journey-rows.ts'
import type { Rows } from '../../../pipeline/microbatch/rows/rows.ts'
import { Events } from '../../../pipeline/stages/events.ts'
import { Fold } from '../../../pipeline/stages/fold-journeys.ts'
import { dueOf, freshProfile, type ProfileState } from '../../../pipeline/stages/instance.ts'
import { Facts } from '../../../pipeline/stages/journey-facts.ts'
import type { VersionedName } from '../../../pipeline/warehouse/tables.ts'
import { idsOf, valuesOf, type Value } from '../row-values.ts'
import { instantOf, parse, type Line, type Setting } from './history.ts'

export type Row = { [column: string]: Value }

/** Rows in the order of the events that caused them, without keys. */
export type Folded = {
  transitions: Row[]
  states: Row[]
  cycles: Row[]
  rejections: Row[]
  effects: DueEffect[]
  /** Per profile, the earliest pending timeout and the instant up to which timeouts are decided,
   * microseconds. */
  timers: [profile: string, due: number, decidedUpTo: number][]
}

class Bench {
  readonly #compiled: Compiled
  readonly #events: Events
  readonly #profiles = new Map<string, { rows: number[]; state: ProfileState }>()
  readonly #rows = new Map<VersionedName, Map<string, Row>>()
  readonly #effects: DueEffect[] = []

  constructor(lines: readonly Line[], setting: Setting) {
    this.#compiled = compile(makeDefinitions(setting))
    const { machines } = this.#compiled
    const { eventCodes, operandPaths } = this.#compiled
    const operands = operandPaths.length
    const events = new Events({ texts: new Texts(), eventCodes, namespaces: 0, operands })
    this.#events = events
    lines.forEach(({ given }, i) => {
      const properties = given['props'] === '-' ? {} : JSON.parse(given['props'] ?? '{}')
      events.add({
        eventId: `e${i + 1}`,
        name: given['event'] as string,
        source: 'web',
        occurredAt: microsOf(given['at'] as string),
        ordinal: Number(given['ordinal'] ?? 0),
        operands: operandPaths.map((path) =>
          valueAt({ properties, context: {}, source: 'web' }, path),
        ),
      })
      const id = `user_id:${given['user_id']}`
      const profile = this.#profiles.get(id) ?? { rows: [], state: freshProfile(machines) }
      profile.rows.push(i)
      this.#profiles.set(id, profile)
    })
    for (const { rows } of this.#profiles.values()) rows.sort((a, b) => events.inOrder(a, b))
  }

  #run(id: string, state: ProfileState, rows: readonly number[], watermark: number | null): void {
    const facts = new Facts()
    new Fold(this.#compiled.machines, this.#events, facts).run(id, state, rows, watermark)
    const folded = tabulate(facts, this.#events, this.#events.eventId)
    const ended = new Set(idsOf(folded.endedStays))
    const { transition, state: stays, cycle, rejection } = folded
    for (const each of [transition, stays, cycle, rejection]) this.#store(each, ended)
    this.#effects.push(...folded.effects)
  }

  /** Keeps rows by key. Only rows that end a stay of an earlier fold may replace one. */
  #store(rows: Rows, ended: ReadonlySet<string>): void {
    const stored = this.#rows.get(rows.table) ?? new Map<string, Row>()
    this.#rows.set(rows.table, stored)
    const values = valuesOf(rows)
    idsOf(rows.keys).forEach((key, i) => {
      const isEnded = rows.table === 'state' && ended.has(key)
      expect({ key, isKnown: stored.has(key) }).toEqual({ key, isKnown: isEnded })
      stored.set(key, values[i] as Row)
    })
  }

  atOnce(watermark: number): Folded {
    for (const [id, { rows, state }] of this.#profiles) this.#run(id, state, rows, watermark)
    return this.#folded()
  }

  stepwise(watermark: number): Folded {
    for (const [id, { rows, state }] of this.#profiles) {
      for (const row of rows) {
        const at = this.#events.occurredAt.at(row)
        this.#run(id, state, [], at - 1)
        this.#run(id, state, [row], null)
      }
      this.#run(id, state, [], watermark)
    }
    return this.#folded()
  }

  #folded(): Folded {
    const rows = (table: VersionedName) => [...(this.#rows.get(table)?.values() ?? [])]
    return {
      transitions: rows('transition'),
      states: rows('state'),
      cycles: rows('cycle'),
      rejections: rows('rejection'),
      effects: this.#effects,
      timers: [...this.#profiles].map(([id, { state }]) => [id, dueOf(state), state.decidedUpTo]),
    }
  }
}

/** Returns microseconds of a time as tables have it. */
export const microsOf = (text: string) => instantOf(text) * 1_000

/** Folds the table's events at once and stepwise, compares, and returns the rows. */
export function foldTable(table: string, setting: Setting): Folded {
  return foldLines(parse(table).lines, setting)
}

function foldLines(lines: readonly Line[], setting: Setting): Folded {
  const instants = lines.map(({ given }) => microsOf(given['at'] as string))
  const { watermark: at } = setting
  const watermark = at === undefined ? Math.max(...instants) : microsOf(at)
  const atOnce = new Bench(lines, setting).atOnce(watermark)
  const stepwise = new Bench(lines, setting).stepwise(watermark)
  expect(byContent(stepwise)).toEqual(byContent(atOnce))
  return atOnce
}

/** Returns the named columns of each row as one text, in the order of the rows. */
export function columnsOf(rows: readonly object[], names: string): string[] {
  return rows.map((row) => {
    const values = names.split(' ').map((name) => (row as Row)[name])
    return values.map((value) => (value === null ? '-' : String(value))).join(' ')
  })
}

/** Sorts the rows of each table: a stay that is replaced keeps its place. */
function byContent(folded: Folded): object {
  const text = (row: object) =>
    JSON.stringify(row, (name, value) => (name === 'machine' ? 0 : value))
  return Object.entries(folded).map(([name, rows]) => [name, [...rows].map(text).sort()])
}

/** Compares the transitions and rejections of each event, and the stays open at the end, with the
 * table. */
export function checkFold(table: string, setting: Setting): void {
  const { lines, standing } = parse(table)
  const folded = foldLines(lines, setting)
  const said = lines.map(({ expected }, i): Line['expected'] =>
    Object.fromEntries(
      Object.keys(expected).map((journey) => [journey, outcomeOf(folded, journey, `e${i + 1}`)]),
    ),
  )
  expect(said).toEqual(lines.map(({ expected }) => expected))
  if (standing.length > 0) expect(openStays(folded)).toEqual(standing)
}

function outcomeOf(folded: Folded, journey: string, eventId: string): string {
  const isOf = (row: Row) => row['journey'] === journey && row['event_id'] === eventId
  const moved = folded.transitions.filter((row) => isOf(row) && row['cause'] === 'event')
  const refused = folded.rejections.filter(isOf).map((row) => `!${row['reason']}`)
  return [...moved.map((row) => stateOf(row, 'to_state')), ...refused].join('+') || '-'
}

const stateOf = (row: Row, column: string) =>
  row['track'] === 'main' ? `${row[column]}` : `${row['track']}.${row[column]}`

function openStays({ states }: Folded): string[] {
  const open = new Map<string, Row[]>()
  for (const row of states.filter(({ exited_at }) => exited_at === null)) {
    const instance = `${row['profile_id']} ${row['journey']} ${row['instance_id']}`
    open.set(instance, [...(open.get(instance) ?? []), row])
  }
  const lines = [...open.values()].map((rows) => {
    const tracks = rows.map((row) => stateOf(row, 'state')).sort()
    return `${rows[0]?.['profile_id']} ${rows[0]?.['journey']} ${tracks.join('+')}`
  })
  return lines.sort()
}
