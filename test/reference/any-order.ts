/** Reference of funnels in any order: compares every attempt with every event. */

import type { Rules, Thing, Walk } from './attempts.ts'

type Attempt = Walk & { isWithdrawn: boolean; group: number }
type Taken = Walk['reached'][number]

const scopeOf = ({ scope, held }: Thing) => JSON.stringify([scope, held])

export function anyWalks(groups: Thing[][], rules: Rules, watermark: number): Walk[] | 'removed' {
  const attempts: Attempt[] = []
  /** Events that later attempts may take along, in the order they were taken. */
  let recent: Taken[] = []
  const entryOf = ({ reached }: Walk) => (reached[0] as Taken).thing
  const endOf = (one: Walk) => entryOf(one).at + rules.within
  const open = () => attempts.filter((one) => one.because === null && !one.isWithdrawn)
  const close = (now: number) => {
    for (const one of open()) if (now > endOf(one)) end(one, 'window', endOf(one))
  }
  const end = (one: Attempt, because: string, at: number) => {
    one.because = because
    one.endedAt = at
  }
  for (const [g, group] of groups.entries()) {
    for (const thing of group) {
      if (thing.steps.length === 0) continue
      close(thing.at)
      const own = open().filter((one) => scopeOf(entryOf(one)) === scopeOf(thing))
      const taken: number[] = []
      for (const one of own) {
        const step = thing.steps.find((s) => !one.reached.some((reached) => reached.step === s))
        if (step === undefined || one.reached.some((reached) => reached.thing === thing)) continue
        const last = one.reached.at(-1)?.thing.at
        if (rules.ties === 'strict-increase' && last === thing.at) continue
        one.reached.push({ step, thing })
        one.group = g
        taken.push(step)
      }
      const [first] = thing.steps
      const mayEnter = rules.entry !== 'first' || attempts.length === 0
      if (taken.length === 0 && first !== undefined) {
        taken.push(first)
        if (mayEnter) {
          const along: Taken[] = []
          for (const one of recent.toReversed()) {
            if (scopeOf(one.thing) !== scopeOf(thing) || one.step === first) continue
            if (one.thing.at < thing.at - rules.within || one.thing === thing) continue
            if (along.some((other) => other.thing === one.thing)) continue
            const next = along[0]?.thing.at ?? thing.at
            if (rules.ties === 'strict-increase' && one.thing.at >= next) continue
            along.unshift(one)
          }
          while (along[0] !== undefined && own.some((one) => entryOf(one) === along[0]?.thing)) {
            along.shift()
          }
          const gives = own.findLast(
            ({ reached }) => reached.length === 1 && reached[0]?.step === first,
          )
          const isAlone = thing.steps.length === 1 && along.length === 0
          if (rules.entry === 'latest' && isAlone && gives !== undefined) gives.isWithdrawn = true
          const reached = [...along, { step: first, thing }]
          attempts.push({ reached, because: null, endedAt: null, isWithdrawn: false, group: g })
        }
      }
      for (const step of taken) {
        recent = recent.filter((r) => r.step !== step || scopeOf(r.thing) !== scopeOf(thing))
        recent.push({ step, thing })
      }
      for (const one of open()) {
        if (one.reached.length < rules.steps.length) continue
        end(one, 'converted', thing.at)
        recent = recent.filter((r) => scopeOf(r.thing) !== scopeOf(thing))
      }
    }
    for (const thing of group) {
      for (const { between, effect } of thing.exclusions) {
        close(thing.at)
        const [from, to] = between ?? [1, rules.steps.length]
        const hit = open().filter(
          (one) =>
            one.group !== g &&
            entryOf(one).scope === thing.scope &&
            one.reached.length >= from &&
            one.reached.length < to,
        )
        for (const one of hit) end(one, 'excluded', thing.at)
        if (hit.length === 0) continue
        if (effect === 'remove-profile') return 'removed'
        recent = recent.filter((r) => r.thing.scope !== thing.scope)
      }
    }
  }
  close(watermark)
  return attempts
    .filter(({ isWithdrawn }) => !isWithdrawn)
    .map(({ reached, because, endedAt }) => ({ reached, because, endedAt }))
}
