/**
 * Funnels over histories written as text: one event per line, `10:00 A`, optionally with
 * `source=ios`, `session=s2`, `ordinal=1` and properties as JSON. Events are numbered e1, e2 … by
 * line.
 *
 * The result is one text per attempt, by entry: the events that its steps took and how it ended,
 * such as `e1 e3 converted` or `e2 window`. Every history is folded at once, and again event by
 * event from a state that was serialized as JSON. Both must give the same result.
 */

import { expect } from 'vitest'
import { valueAt } from '../../../pipeline/base/json.ts'
import { Texts } from '../../../pipeline/base/texts.ts'
import { Ints } from '../../../pipeline/stages/growable-array.ts'
import { compile } from '../../../pipeline/definition/compile.ts'
import { makeDefinitions } from '../../../pipeline/definition/load.ts'
import { Events } from '../../../pipeline/stages/events.ts'
import { Facts } from '../../../pipeline/stages/journey-facts.ts'
import type { EventFunnel } from '../../../pipeline/definition/funnel.ts'
import { FunnelFacts } from '../../../pipeline/stages/funnel-facts.ts'
import { FunnelFold } from '../../../pipeline/stages/fold-funnels.ts'
import {
  freshFunnels,
  funnelsDueOf,
  type FunnelState,
} from '../../../pipeline/stages/funnel-state.ts'
import type { Json } from '../../../pipeline/base/json.ts'
import { idsOf, valuesOf } from '../row-values.ts'
import {
  tabulateFunnels,
  type TabulatedFunnels,
} from '../../../pipeline/microbatch/rows/funnel-rows.ts'

export type GivenEvent = {
  id: string
  name: string
  /** Microseconds. */
  at: number
  ordinal?: number
  source?: string
  session?: string
  properties?: { [name: string]: Json }
  context?: { [name: string]: Json }
}

const MINUTE = 60_000_000

/** Returns the microseconds of `10:00`, `10:00:30` or `34:00` (10:00 of the next day). */
export function timeOf(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number)
  return (hours * 60 + minutes) * MINUTE + seconds * 1_000_000
}

function parse(history: string): GivenEvent[] {
  const lines = history
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return lines.map((line, i): GivenEvent => {
    const [at = '', name = '', ...rest] = line.split(/\s+/)
    const given: GivenEvent = { id: `e${i + 1}`, name, at: timeOf(at) }
    for (const part of rest) {
      const [member = '', value = ''] = part.split('=')
      if (part.startsWith('{')) given.properties = JSON.parse(part)
      else if (member === 'ordinal') given.ordinal = Number(value)
      else if (member === 'source') given.source = value
      else if (member === 'session') given.session = value
    }
    return given
  })
}

/** Folds one profile's events under one funnel, at once or event by event. */
export class FunnelBench {
  readonly funnel: EventFunnel
  readonly #events: Events
  readonly #rows: number[]
  readonly #parts: ConstructorParameters<typeof FunnelFold>[0]

  constructor(funnel: Omit<EventFunnel, 'id'>, given: readonly GivenEvent[]) {
    this.funnel = { id: 'f', ...funnel }
    const definitions = makeDefinitions({ funnels: [this.funnel] })
    const compiled = compile(definitions)
    const { eventCodes, operandPaths } = compiled
    const operands = operandPaths.length
    this.#events = new Events({ texts: new Texts(), eventCodes, namespaces: 0, operands })
    const sessionOf = new Ints()
    for (const event of given) {
      const { properties = {}, context = {}, source = 'web', session = 's1' } = event
      this.#events.add({
        eventId: event.id,
        name: event.name,
        source,
        occurredAt: event.at,
        ordinal: event.ordinal ?? 0,
        operands: operandPaths.map((path) => valueAt({ properties, context, source }, path)),
      })
      sessionOf.push(this.#events.texts.code(session))
    }
    this.#rows = given.map((_, row) => row).sort((a, b) => this.#events.inOrder(a, b))
    this.#parts = {
      funnels: compiled.funnels,
      events: this.#events,
      sessionOf,
      facts: new Facts(),
      found: new FunnelFacts(),
    }
  }

  #run(state: FunnelState, rows: number[], watermark: number): TabulatedFunnels {
    const found = new FunnelFacts()
    new FunnelFold({ ...this.#parts, found }).run('p', state, rows, 0, watermark)
    return tabulateFunnels(found, this.#events.texts)
  }

  #fresh(): FunnelState {
    return freshFunnels(this.#parts.funnels)
  }

  inOneGo(watermark: number): StoredAttempt[] {
    const store = new Store()
    store.add(this.#run(this.#fresh(), this.#rows, watermark))
    return store.attempts()
  }

  /**
   * Runs once per group of events, up to the time of its last event. The last run is up to the
   * watermark: that of the last group, or with a group of its own if `isLastApart`.
   */
  continued(
    watermark: number,
    sizes: readonly number[] = [1],
    isLastApart = true,
  ): StoredAttempt[] {
    const { funnels } = this.#parts
    const fold = new FunnelFold(this.#parts)
    let store = new Store()
    let state = this.#fresh()
    let from = 0
    for (let run = 0; from < this.#rows.length; run++) {
      const to = from + (sizes[run % sizes.length] as number)
      const rows = this.#rows.slice(from, to)
      const times = rows.map((row) => this.#events.occurredAt.at(row))
      const isLast = to >= this.#rows.length && !isLastApart
      const limit = isLast ? watermark : Math.max(...times)
      const last = this.#rows[from - 1]
      const place = last === undefined ? null : this.#events.place(last)
      if (Math.min(...times) < state.decidedUpTo || fold.mustFoldAgain(state, place, rows)) {
        store = new Store()
        state = this.#fresh()
        store.add(this.#run(state, this.#rows.slice(0, to), limit))
      } else store.add(this.#run(state, rows, limit))
      state = JSON.parse(JSON.stringify(state, infinite), finite) as FunnelState
      from = to
    }
    if (funnelsDueOf(funnels, state) <= watermark) store.add(this.#run(state, [], watermark))
    return store.attempts()
  }
}

const infinite = (_: string, value: unknown) => (value === -Infinity ? '-inf' : value)
const finite = (_: string, value: unknown) => (value === '-inf' ? -Infinity : value)

/** `text`: the ids of its events by step, and why it ended. `endedAt`: null while it is pending. */
export type StoredAttempt = { text: string; endedAt: unknown }

type Line = { [column: string]: unknown }

/** Rows as a warehouse stores them. Superseded rows must exist, and inserted ones must not. */
class Store {
  readonly #attempts = new Map<string, Line>()
  readonly #steps = new Map<string, Line>()

  add(tabulated: TabulatedFunnels): void {
    for (const key of idsOf(tabulated.endedAttempts)) expect(this.#attempts.delete(key)).toBe(true)
    for (const key of idsOf(tabulated.endedSteps)) expect(this.#steps.delete(key)).toBe(true)
    for (const [into, rows] of [
      [this.#attempts, tabulated.attempt],
      [this.#steps, tabulated.step],
    ] as const) {
      const values = valuesOf(rows)
      idsOf(rows.keys).forEach((key, row) => {
        expect(into.has(key)).toBe(false)
        const names = into === this.#attempts ? ATTEMPT_COLUMNS : STEP_COLUMNS
        into.set(key, Object.fromEntries(names.map((name) => [name, values[row]?.[name]])))
      })
    }
  }

  attempts(): StoredAttempt[] {
    const attempts = [...this.#attempts.values()].sort(
      (a, b) =>
        Number(a['entered_at']) - Number(b['entered_at']) ||
        Number(a['entry_ordinal']) - Number(b['entry_ordinal']) ||
        (String(a['event_id']) < String(b['event_id']) ? -1 : 1),
    )
    const stepsOf = new Map<unknown, Line[]>()
    for (const step of this.#steps.values()) {
      const steps = stepsOf.get(step['attempt_id'])
      if (steps === undefined) stepsOf.set(step['attempt_id'], [step])
      else steps.push(step)
    }
    return attempts.map((attempt) => {
      const steps = (stepsOf.get(attempt['attempt_id']) ?? []).sort(
        (a, b) => Number(a['step_no']) - Number(b['step_no']),
      )
      expect(steps.at(-1)?.['step_no']).toBe(attempt['deepest_step'])
      const text = [...steps.map((step) => step['event_id']), attempt['ended_because']].join(' ')
      return { text, endedAt: attempt['ended_at'] }
    })
  }
}

const ATTEMPT_COLUMNS = [
  'attempt_id',
  'entered_at',
  'entry_ordinal',
  'event_id',
  'deepest_step',
  'ended_because',
  'ended_at',
]
const STEP_COLUMNS = ['attempt_id', 'step_no', 'event_id']

/** Returns the attempts of a history. The default watermark is that of its last event. */
export function attemptsOf(
  funnel: Omit<EventFunnel, 'id'>,
  history: string,
  watermark?: string,
): string[] {
  const given = parse(history)
  const limit = Math.max(
    ...given.map(({ at }) => at),
    watermark === undefined ? -Infinity : timeOf(watermark),
  )
  const bench = new FunnelBench(funnel, given)
  const attempts = bench.inOneGo(limit)
  expect(bench.continued(limit)).toEqual(attempts)
  return attempts.map(({ text }) => text)
}
