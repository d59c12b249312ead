/** Reference of PostHog's funnels, as one walk over all events of the profile. */

import type { Thing, Walk } from './attempts.ts'

/** Levels from 1; level 0 is open at every instant. */
type Level = { at: number; isBad: boolean; path: Walk['reached'] }

export type PosthogRules = {
  steps: { optional?: boolean }[]
  within: number
  isStrict: boolean
}

/** Returns null without an attempt: no entry, or the deepest chain is excluded. */
export function posthogWalk(things: Thing[], rules: PosthogRules, watermark: number): Walk | null {
  const { steps, within, isStrict } = rules
  const levels = new Map<number, Level>()
  /** Entries whose window was over before strict order cleared them. */
  const lapsed: number[] = []
  let best: (Level & { level: number }) | null = null
  const isOptional = (level: number) => steps[level - 1]?.optional === true
  const fresh = (at: number): Level => ({ at, isBad: false, path: [] })
  const from = (level: number, at: number): { level: number; found: Level } | null => {
    for (let before = level - 1; before >= 0; before--) {
      const found = before === 0 ? fresh(at) : levels.get(before)
      if (found !== undefined && at - found.at <= within) {
        return levels.get(level)?.at === found.at ? null : { level: before, found }
      }
      if (!isOptional(before)) return null
    }
    return null
  }
  const serve = (thing: Thing, level: number, isTie: boolean) => {
    const before = from(level, thing.at)
    if (before === null) return
    const { at, isBad, path } = before.found
    if (isTie && path.some((one) => one.thing === thing && !isOptional(one.step + 1))) return
    const next = { at, isBad, path: [...path, { step: level - 1, thing }] }
    if (!isBad) levels.set(level, next)
    if (best === null || level > best.level || (level === best.level && best.isBad)) {
      best = { ...next, level }
    }
  }
  const exclude = (thing: Thing, level: number) => {
    const before = from(level, thing.at)
    if (before === null || before.level === 0 || before.found.isBad) return
    levels.set(before.level, { ...before.found, isBad: true })
    if (best?.level === before.level && thing.at - best.at <= within)
      best = { ...best, isBad: true }
  }
  const isDone = () => best !== null && !best.isBad && best.level === steps.length
  const what = ({ steps: own, exclusions }: Thing) =>
    JSON.stringify([own, exclusions.map(({ event, where }) => [event, where])])
  for (const at of [...new Set(things.map((thing) => thing.at))].toSorted((a, b) => a - b)) {
    if (isDone()) break
    const now = things.filter((thing) => thing.at === at && what(thing) !== '[[],[]]')
    const strict = things.filter((thing) => thing.at === at)
    const group = isStrict ? strict : now
    if (new Set(group.map(what)).size > 1) {
      steps.forEach((_, step) => {
        for (const thing of group) if (thing.steps.includes(step)) serve(thing, step + 1, true)
      })
      continue
    }
    for (const thing of group) {
      for (const { between } of thing.exclusions) {
        const [low, high] = between ?? [1, steps.length]
        for (let level = high; level > low; level--) exclude(thing, level)
      }
      for (const step of thing.steps.toReversed()) serve(thing, step + 1, false)
      if (!isStrict) continue
      for (const [level, chain] of levels) {
        if (thing.steps.includes(level - 1)) continue
        levels.delete(level)
        if (level < steps.length && thing.at - chain.at > within) lapsed.push(chain.at)
      }
    }
  }
  const last = best as (Level & { level: number }) | null
  if (last === null || last.isBad) return null
  const ends = last.path.at(-1)?.thing.at ?? 0
  if (isDone()) return { reached: last.path, because: 'converted', endedAt: ends }
  const open = [...levels].filter(([level]) => level < steps.length).map(([, level]) => level.at)
  const deadline = Math.max(last.at, ...open, ...lapsed) + within
  const isOver = deadline < watermark
  return {
    reached: last.path,
    because: isOver ? 'window' : null,
    endedAt: isOver ? deadline : null,
  }
}
