/**
 * Reference of funnel attempts: walks every attempt alone, from its entry to its end.
 */

import { anyWalks } from './any-order.ts'
import type { Exclusion } from '../../pipeline/definition/funnel.ts'
import { micros } from './identity.ts'

/** Event or entered state. `steps` are the 0-based steps it matches. */
export type Thing = {
  at: number
  ordinal: number
  /** How the state was entered: start, event or timeout by number. An event counts as an event. */
  cause: number
  eventId: string | null
  source: string | null
  session: string | null
  scope: string
  held: string | null
  steps: number[]
  exclusions: Exclusion[]
  /** Whether it is an entry of a journey's funnel that is not the first of its instance. */
  isLater: boolean
}

/** Reached steps in order, and when and why it ended; null for pending. */
export type Walk = {
  reached: { step: number; thing: Thing }[]
  because: string | null
  endedAt: number | null
}

export type Rules = {
  steps: { name: string; within?: string; minGap?: string; optional?: boolean }[]
  within: number
  order: string
  entry: string
  ties: string
  /** When the instance of a scope was completed. */
  completed: Map<string, number>
}

/** Groups what happened at one instant with one ordinal. */
export function tied(things: Thing[]): Thing[][] {
  const groups: Thing[][] = []
  for (const thing of things) {
    const last = groups.at(-1)?.[0]
    const isTied = last !== undefined && last.at === thing.at && last.ordinal === thing.ordinal
    if (isTied) groups.at(-1)?.push(thing)
    else groups.push([thing])
  }
  return groups
}

type Open = { group: number; entry: Thing; isWithdrawn: boolean }

export function walksOf(groups: Thing[][], rules: Rules, watermark: number): Walk[] | 'removed' {
  if (rules.order === 'any') return anyWalks(groups, rules, watermark)
  const attempts: Open[] = []
  groups.forEach((group, g) => {
    for (const entry of group) {
      if (!isEntry(entry, group, g, attempts, groups, rules)) continue
      if (rules.entry === 'first' && (entry.isLater || attempts.length > 0)) continue
      if (rules.entry === 'latest' && entry.steps.length === 1) {
        // In any order, earlier events of this tie count; in sequence, entries come first.
        const part = rules.order === 'any' ? [upTo(group, entry)] : []
        withdraw(attempts, entry, [...groups.slice(0, g), ...part], rules)
      }
      attempts.push({ group: g, entry, isWithdrawn: false })
    }
  })
  // An attempt that was replaced was replaced before anything else happened to it.
  const walks = attempts.filter((one) => !one.isWithdrawn).map((one) => walk(one, groups, rules))
  if (walks.some(({ because }) => because === 'removed')) return 'removed'
  return walks.map((one) => ended(one, rules, watermark))
}

/** Withdraws the latest attempt that an entry replaces, if it is still open. */
function withdraw(attempts: Open[], entry: Thing, before: Thing[][], rules: Rules): void {
  const standing = attempts.findLast((one) => {
    if (one.isWithdrawn || one.entry.scope !== entry.scope) return false
    if (one.entry.held !== entry.held || one.entry.steps[0] !== entry.steps[0]) return false
    const { because, reached } = walk(one, before, rules)
    return because === null && reached.length === 1
  })
  if (standing === undefined) return
  const reached = [{ step: entry.steps[0] as number, thing: standing.entry }]
  if (entry.at <= deadlineOf(reached, rules)) standing.isWithdrawn = true
}

const upTo = (group: Thing[], thing: Thing) => group.slice(0, group.indexOf(thing))

/** Returns whether a thing is an entry: in any order, if no open attempt takes it; otherwise the
 * first step. */
function isEntry(
  thing: Thing,
  group: Thing[],
  g: number,
  attempts: Open[],
  groups: Thing[][],
  rules: Rules,
): boolean {
  if (rules.order !== 'any') return thing.steps.includes(0)
  if (thing.steps.length === 0) return false
  const before = [...groups.slice(0, g), upTo(group, thing)]
  const after = [...groups.slice(0, g), [...upTo(group, thing), thing]]
  return !attempts.some(
    (one) =>
      !one.isWithdrawn &&
      one.entry !== thing &&
      walk(one, after, rules).reached.length > walk(one, before, rules).reached.length,
  )
}

/** Walks from the entry to the end of the attempt or of all things. Pending is null. */
function walk(one: Open, groups: Thing[][], rules: Rules): Walk {
  const { entry } = one
  const first = rules.order === 'any' ? (entry.steps[0] as number) : 0
  const reached = [{ step: first, thing: entry }]
  const isDone = () =>
    rules.order === 'any'
      ? reached.length === rules.steps.length
      : reached.at(-1)?.step === rules.steps.length - 1
  if (isDone()) return { reached, because: 'converted', endedAt: entry.at }
  for (let g = one.group; g < groups.length; g++) {
    const own = (groups[g] ?? []).filter((thing) => thing.scope === entry.scope)
    const rest = g > one.group || rules.order !== 'any' ? own : own.slice(own.indexOf(entry) + 1)
    let isServed = g === one.group
    const deadline = deadlineOf(reached, rules)
    if (rest[0] !== undefined && rest[0].at > deadline) {
      return { reached, because: 'window', endedAt: deadline }
    }
    const turns: [number, Thing][] =
      rules.order === 'any'
        ? rest.flatMap((thing) => thing.steps.map((step): [number, Thing] => [step, thing]))
        : rules.steps.flatMap((_, step) =>
            rest.filter(({ steps }) => steps.includes(step)).map((t): [number, Thing] => [step, t]),
          )
    for (const [step, thing] of turns) {
      if (!canReach(reached, step, thing, entry, rules)) continue
      reached.push({ step, thing })
      isServed = true
      if (isDone()) return { reached, because: 'converted', endedAt: thing.at }
    }
    if (isServed) continue
    const depth = rules.order === 'any' ? reached.length : (reached.at(-1)?.step ?? 0) + 1
    for (const thing of own) {
      for (const { between, effect } of thing.exclusions) {
        const [from, to] = between ?? [1, rules.steps.length]
        if (depth < from || depth >= to) continue
        const because = effect === 'remove-profile' ? 'removed' : 'excluded'
        return { reached, because, endedAt: thing.at }
      }
      if (rules.order === 'strict') return { reached, because: 'order', endedAt: thing.at }
    }
  }
  return { reached, because: null, endedAt: null }
}

function canReach(
  reached: Walk['reached'],
  step: number,
  thing: Thing,
  entry: Thing,
  rules: Rules,
): boolean {
  if (thing.held !== entry.held) return false
  if (reached.some((one) => one.thing === thing)) return false
  const { within, minGap } = rules.steps[step] ?? {}
  const gap = thing.at - anchorOf(reached, rules)
  if (within !== undefined && gap > micros(within)) return false
  if (minGap !== undefined && gap < micros(minGap)) return false
  if (rules.ties === 'strict-increase' && gap === 0) return false
  if (rules.order === 'any') return !reached.some((one) => one.step === step)
  const last = reached.at(-1)?.step ?? 0
  return step > last && rules.steps.slice(last + 1, step).every(({ optional }) => optional === true)
}

/** Returns when the last step that is not optional was reached. */
function anchorOf(reached: Walk['reached'], rules: Rules): number {
  return reached.findLast(({ step }) => rules.steps[step]?.optional !== true)?.thing.at ?? 0
}

function deadlineOf(reached: Walk['reached'], rules: Rules): number {
  const whole = (reached[0]?.thing.at ?? 0) + rules.within
  const last = reached.at(-1)?.step ?? 0
  const next = rules.steps.slice(last + 1).find(({ optional }) => optional !== true)
  if (rules.order === 'any' || next?.within === undefined) return whole
  return Math.min(whole, anchorOf(reached, rules) + micros(next.within))
}

/** Applies the end of the instance or the watermark to a walk that nothing ended. */
function ended(walk: Walk, rules: Rules, watermark: number): Walk {
  if (walk.because !== null) return walk
  const deadline = deadlineOf(walk.reached, rules)
  const completedAt = rules.completed.get(walk.reached[0]?.thing.scope ?? '')
  if (completedAt !== undefined) {
    const because = completedAt > deadline ? 'window' : 'final'
    return { ...walk, because, endedAt: Math.min(completedAt, deadline) }
  }
  return watermark > deadline ? { ...walk, because: 'window', endedAt: deadline } : walk
}
