/**
 * Fold that records the reason for each choice: which candidates were tried, whether their guards
 * held, and the values they read. The choices are those of the ordinary fold. Parts of a guard are
 * compiled and evaluated like the whole.
 */

import { stateOf, type Compiled } from '../definition/compile.ts'
import type { Definitions } from '../definition/load.ts'
import type { Events } from './events.ts'
import type { Facts } from './journey-facts.ts'
import { Fold } from './fold-journeys.ts'
import { compileGuard, type Names } from '../definition/guard.ts'
import { guardWords } from '../definition/guard-words.ts'
import { tracksOf } from '../definition/journey.ts'
import type { Guard } from '../definition/guard-syntax.ts'
import type { Json } from '../base/json.ts'
import type { Machine, Way } from '../definition/machine.ts'

/** Condition of a guard as text, its result, and the value it read (undefined if absent). */
export type TracedCondition = { condition: string; held: boolean; seen?: Json | undefined }

/** Candidate that was tried; without parts it always holds. */
export type Tried = { target: string; held: boolean; parts: TracedCondition[] }

/** Choice of a track at an event or a timeout. */
export type Choice = {
  machine: Machine
  track: string
  isTimeout: boolean
  at: number
  tried: Tried[]
  isTaken: boolean
}

type Home = { machine: Machine; track: number; names: Names }

export class TracingFold extends Fold {
  readonly #homes: Map<Way, Home>
  #choices: Choice[] = []

  constructor(parts: {
    definitions: Definitions
    compiled: Compiled
    events: Events
    facts: Facts
  }) {
    super(parts.compiled.machines, parts.events, parts.facts)
    this.#homes = homesOf(parts.definitions, parts.compiled)
  }

  /** Returns the choices since the last call, in order. */
  takeChoices(): Choice[] {
    return this.#choices.splice(0)
  }

  protected override choose(ways: readonly Way[], at: number): Way | null {
    const taken = super.choose(ways, at)
    const home = this.#homes.get(ways[0] as Way)
    if (home === undefined) return taken
    const { machine, track } = home
    const { name, states } = machine.tracks[track] as (typeof machine.tracks)[number]
    const triedCount = taken === null ? ways.length : ways.indexOf(taken) + 1
    this.#choices.push({
      machine,
      track: name,
      isTimeout: this.field('name') === undefined,
      at,
      tried: ways.slice(0, triedCount).map((way) => ({
        target: states[way.target] as string,
        held: way === taken,
        parts: way.said === null ? [] : partsOf(way.said).map((part) => this.#trace(part, home)),
      })),
      isTaken: taken !== null,
    })
    return taken
  }

  #trace(part: Guard, home: Home): TracedCondition {
    const traced = { condition: guardWords(part), held: compileGuard(part, home.names)(this) }
    if ('any' in part || 'not' in part || 'all' in part) return traced
    return { ...traced, seen: this.#seen(part, home) }
  }

  /** Returns the value that a single condition reads; instants and durations in microseconds. */
  #seen(part: Exclude<Guard, { all: unknown } | { any: unknown } | { not: unknown }>, home: Home) {
    const { names, machine } = home
    if ('property' in part) return this.operand(names.operandOf(`properties.${part.property}`))
    if ('context' in part) return this.operand(names.operandOf(`context.${part.context}`))
    if ('field' in part) return this.field(part.field)
    if ('count' in part) return this.count(names.countSlotOf(part.count))
    if ('dwell' in part) return `${this.dwell(names.track) / 1_000} ms`
    const { track, state } = names.stateOf('visits' in part ? part.visits : part.in)
    if ('visits' in part) return this.visits(track, state)
    return machine.tracks[track]?.states[this.state(track)]
  }
}

/** Splits a guard into the conditions that must all hold. */
function partsOf(guard: Guard): Guard[] {
  return 'all' in guard ? guard.all.flatMap(partsOf) : [guard]
}

/** Maps every way to its journey and track, and to the numbers of the names in its guard. */
function homesOf(definitions: Definitions, compiled: Compiled): Map<Way, Home> {
  const homes = new Map<Way, Home>()
  compiled.machines.forEach((machine, m) => {
    const tracks = tracksOf(definitions.journeys[m] as Definitions['journeys'][number])
    machine.tracks.forEach(({ cells, timeouts }, track) => {
      const names: Names = {
        operandOf: (path) => compiled.operandPaths.indexOf(path),
        countSlotOf: (name) => machine.countSlot[compiled.eventCodes.get(name) ?? -1] ?? -1,
        stateOf: (reference) => stateOf(reference, { index: track, tracks }),
        track,
      }
      for (const list of [...cells, ...timeouts.flat()]) {
        for (const way of list?.ways ?? []) homes.set(way, { machine, track, names })
      }
    })
  })
  return homes
}
