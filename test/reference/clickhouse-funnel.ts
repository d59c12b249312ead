/** Reference of ClickHouse's windowFunnel, as one walk of the profile. */

import type { Thing, Walk } from './attempts.ts'

type Chain = { step: number; thing: Thing }[]

/** Returns null without an entry. Every call scans from the beginning. */
export function clickhouseWalk(
  things: Thing[],
  count: number,
  within: number,
  modes: readonly string[],
  watermark: number,
): Walk | null {
  const has = (mode: string) => modes.includes(mode)
  // By instant, then things that match no step, then by step.
  const turns = things
    .flatMap((thing) =>
      (thing.steps.length === 0 ? [-1] : thing.steps).map((step) => ({ step, thing })),
    )
    .map((turn, i) => ({ ...turn, i }))
    .sort((a, b) => a.thing.at - b.thing.at || a.step - b.step || a.i - b.i)
  let chains: Chain[] = []
  let best: Chain | null = null
  let because: string | null = null
  let endedAt: number | null = null
  const at = (level: number) => chains.filter((chain) => chain.length === level)
  for (const { step, thing } of turns) {
    if (because !== null) break
    const isEntered = best !== null
    if (step === -1) {
      if (has('strict_order') && isEntered) because = 'order'
      if (because !== null) endedAt = thing.at
      continue
    }
    const next: Chain[] = []
    if (step === 0) next.push([{ step, thing }])
    else if (has('strict_deduplication') && at(step + 1).length > 0) because = 'order'
    else if (at(step).length === 0) {
      const isStrict = has('strict_order') && !has('allow_reentry')
      if (isStrict && isEntered) because = 'order'
    } else {
      for (const chain of at(step)) {
        const first = chain[0]?.thing as Thing
        const last = chain.at(-1)?.thing as Thing
        if (thing.at > first.at + within) continue
        if (has('strict_increase') && thing.at <= last.at) continue
        if (has('strict_once') && chain.some((one) => one.thing === thing)) continue
        next.push([...chain, { step, thing }])
      }
    }
    if (because !== null) endedAt = thing.at
    if (next.length === 0) continue
    if (!has('strict_once')) chains = chains.filter((chain) => chain.length !== step + 1)
    chains.push(...next)
    if (best === null || step + 1 > best.length) best = next[0] as Chain
    if (best.length === count) {
      because = 'converted'
      endedAt = thing.at
    }
  }
  if (best === null) return null
  if (because === null) {
    const open = chains.filter((chain) => chain.length < count)
    const deadline = Math.max(...open.map((chain) => chain[0]?.thing.at ?? 0)) + within
    if (deadline < watermark) {
      because = 'window'
      endedAt = deadline
    }
  }
  return { reached: best, because, endedAt }
}
