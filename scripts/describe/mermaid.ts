/**
 * A journey as a Mermaid state diagram. A root `on` is drawn from every state it applies to, tracks
 * are parallel regions, and guards are text. With counts, each state has the number of instances
 * inside and each transition how often it was taken.
 */

import {
  tracksOf,
  type Candidates,
  type Effect,
  type Journey,
  type State,
  type Track,
} from '../../pipeline/definition/journey.ts'
import type { Guard } from '../../pipeline/definition/guard-syntax.ts'
import { guardWords } from '../../pipeline/definition/guard-words.ts'

/** Counts from a warehouse; absent ones are zero. */
export type Counts = {
  inside: (track: string, state: string) => number
  /** `event` is null for a timeout, `from` is null for a start. */
  taken: (track: string, from: string | null, to: string, event: string | null) => number
}

/** Arrow of the diagram with its label. `event` is null for a timeout. */
type Arrow = { from: string; to: string; event: string | null; label: string }

export function mermaidOf(journey: Journey, counts: Counts | null): string {
  const tracks = tracksOf(journey)
  const ids = new Ids()
  const start = startLabel(journey)
  const regions = tracks.map(([name, track]) => region(name, track, start, ids, counts))
  const [single] = regions
  if (journey.type !== 'parallel' && single !== undefined) {
    return ['stateDiagram-v2', ...indented(['direction LR', ...single])].join('\n')
  }
  const blocks = tracks.flatMap(([name], i) => [
    ...(i === 0 ? [] : ['--']),
    `state ${quoted(name)} as ${ids.of('', name)} {`,
    ...indented(regions[i] ?? []),
    '}',
  ])
  return [
    'stateDiagram-v2',
    ...indented([`state ${quoted(journey.id)} as ${ids.of('', journey.id)} {`]),
    ...indented(indented(blocks)),
    ...indented(['}']),
  ].join('\n')
}

const indented = (lines: string[]): string[] => lines.map((line) => `  ${line}`)

function startLabel({ startOn }: Journey): string {
  return startOn === undefined || startOn.length === 0 ? 'any known event' : startOn.join(' or ')
}

function region(
  name: string,
  track: Track,
  start: string,
  ids: Ids,
  counts: Counts | null,
): string[] {
  const id = (state: string) => ids.of(name, state)
  const states = Object.entries(track.states)
  const named = states.flatMap(([state, { effects = [] }]) => [
    `state ${quoted(state)} as ${id(state)}`,
    ...effects.map((effect) => `${id(state)}: on entry / ${escaped(effectWords(effect))}`),
    ...(counts === null ? [] : [`${id(state)}: ${counts.inside(name, state)} inside now`]),
  ])
  const started = counts === null ? '' : ` (${counts.taken(name, null, track.initial, null)})`
  const arrows = states.flatMap(([state, definition]) => arrowsOf(state, definition, track))
  return [
    ...named,
    `[*] --> ${id(track.initial)}: ${escaped(start)}${started}`,
    ...arrows.map(({ from, to, event, label }) => {
      const times = counts === null ? '' : ` (${counts.taken(name, from, to, event)})`
      return `${id(from)} --> ${id(to)}: ${escaped(label)}${times}`
    }),
    ...states.filter(([, { type }]) => type === 'final').map(([state]) => `${id(state)} --> [*]`),
  ]
}

/** Returns the arrows of a state. The root `on` applies to events that the state does not name, except
 * in final states. */
function arrowsOf(from: string, state: State, track: Track): Arrow[] {
  if (state.type === 'final') return []
  const own = new Set([...Object.keys(state.on ?? {}), ...(state.ignore ?? [])])
  const root = Object.entries(track.on ?? {}).filter(([event]) => !own.has(event))
  const byEvent = [...Object.entries(state.on ?? {}), ...root].flatMap(([event, candidates]) =>
    targets(candidates).map(({ to, words }) => ({ from, to, event, label: `${event}${words}` })),
  )
  return [...byEvent, ...timeouts(from, state)]
}

/** Returns one arrow per target of timeouts, because their counts are not separate. */
function timeouts(from: string, { after = {} }: State): Arrow[] {
  const labels = new Map<string, string[]>()
  for (const [delay, candidates] of Object.entries(after)) {
    for (const { to, words } of targets(candidates)) {
      labels.set(to, [...(labels.get(to) ?? []), `after ${delay}${words}`])
    }
  }
  return [...labels].map(([to, parts]) => ({ from, to, event: null, label: parts.join(' or ') }))
}

/** Returns each target once, with its conditions. */
function targets(candidates: Candidates): { to: string; words: string }[] {
  const list = (Array.isArray(candidates) ? candidates : [candidates]).map((candidate) =>
    typeof candidate === 'string' ? { target: candidate } : candidate,
  )
  const words = new Map<string, string[]>()
  list.forEach(({ target, guard, effects = [] }, i) => {
    const condition = conditionWords(guard, i > 0)
    const asked = effects.length === 0 ? '' : ` / ${effects.map(effectWords).join(', ')}`
    words.set(target, [...(words.get(target) ?? []), `${condition}${asked}`])
  })
  return [...words].map(([to, parts]) => ({ to, words: parts.join(' or') }))
}

function conditionWords(guard: Guard | undefined, isLater: boolean): string {
  if (guard !== undefined) return ` [${guardWords(guard)}]`
  return isLater ? ' [otherwise]' : ''
}

function effectWords({ type, within }: Effect): string {
  return within === undefined ? type : `${type} within ${within}`
}

const quoted = (text: string): string => `"${escaped(text)}"`

/** Escapes the characters that end a label in Mermaid, `:` as `#58;`. */
function escaped(text: string): string {
  return text
    .replaceAll(/[#:;<>"{}%\\`]/g, (character) => `#${character.codePointAt(0)};`)
    .replaceAll(/\s+/g, ' ')
}

/** Reserved words of Mermaid, which cannot be ids. */
const RESERVED = /^(state|note|end|direction|as|class|classDef|style|default|click|hide|scale)$/i

/** Unique Mermaid ids of the states of all tracks. */
class Ids {
  readonly #ids = new Map<string, string>()
  readonly #taken = new Set<string>()

  of(track: string, state: string): string {
    const key = `${track} ${state}`
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const plain = state.replaceAll(/\W/g, '_')
    let id = RESERVED.test(plain) ? `${plain}_` : plain
    while (this.#taken.has(id)) id = `${id}_`
    this.#taken.add(id)
    this.#ids.set(key, id)
    return id
  }
}
