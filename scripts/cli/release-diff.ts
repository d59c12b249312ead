/** Prints the differences between two versions of a journey. */

import { formatInstant } from '../../pipeline/base/clock.ts'
import type { EventCounts, Move, ReleaseDiff } from '../../pipeline/query/release-diff.ts'
import { grouped, percent } from './funnel-lines.ts'

const STATES_SHOWN = 12

export function diffLines(diff: ReleaseDiff, journey: string, from: number, to: number): string[] {
  const { profiles, differing } = diff
  const share = profiles === 0 ? '0' : ((100 * differing) / profiles).toFixed(1)
  return [
    `${journey} ${from} → ${to}`,
    `  transitions differ for ${grouped(differing)} of ${grouped(profiles)} profiles (${share} %)`,
    '',
    ...stateLines(diff.states),
    ...funnelLines(diff.funnels, from, to),
    `Rejection rate     ${rate(diff.asked.before)} → ${rate(diff.asked.after)}`,
    ...(diff.telling.length === 0 ? [] : ['', 'First differing transition of some profiles']),
    ...diff.telling.flatMap(({ profile, moves, before, after }) => [
      `  ${profile}, ${moves} ${moves === 1 ? 'transition differs' : 'transitions differ'}`,
      `    ${from}: ${moveText(before)}`,
      `    ${to}: ${moveText(after)}`,
    ]),
  ]
}

function stateLines(states: ReleaseDiff['states']): string[] {
  return [...new Set(states.map(({ track }) => track))].flatMap((track) => {
    const own = states.filter((one) => one.track === track)
    const moved = own.filter(({ before, after }) => before !== after)
    const count = (list: typeof own) => list.reduce((sum, { profiles }) => sum + profiles, 0)
    const shown = moved.slice(0, STATES_SHOWN)
    const further = moved.length - shown.length
    return [
      `Current states${track === 'main' ? '' : `, ${track}`}: ` +
        `${grouped(count(own) - count(moved))} profiles equal, ${grouped(count(moved))} different`,
      ...shown.map(
        ({ before, after, profiles }) =>
          `  ${grouped(profiles).padStart(9)}  ${before ?? 'none'} → ${after ?? 'none'}`,
      ),
      ...(further === 0 ? [] : [`             and ${further} rarer changes`]),
      '',
    ]
  })
}

function funnelLines(funnels: ReleaseDiff['funnels'], from: number, to: number): string[] {
  return [...new Set(funnels.map(({ funnel }) => funnel))].flatMap((name) => {
    const steps = funnels.filter(({ funnel }) => funnel === name)
    const [first] = steps
    const width = Math.max(...steps.map(({ step }) => step.length))
    const side = (reached: number, entered = 0) =>
      `${grouped(reached).padStart(9)} ${percent(reached, entered).padStart(6)}`
    const head = `${'version'.padEnd(width)}${String(from).padStart(16)}${String(to).padStart(19)}`
    return [
      `Funnel ${name}, by attempt`,
      `  ${head}`,
      ...steps.map(
        ({ step, before, after }) =>
          `  ${step.padEnd(width)}${side(before, first?.before)}   ${side(after, first?.after)}`,
      ),
      '',
    ]
  })
}

function rate({ moved, refused }: EventCounts): string {
  const asked = moved + refused
  const share = asked === 0 ? '0.0' : ((100 * refused) / asked).toFixed(1)
  return `${share} % (${grouped(refused)} of ${grouped(asked)})`
}

function moveText(move: Move | null): string {
  if (move === null) return 'no further transition'
  const { from, to, event, eventId, at } = move
  const why = event === null ? 'timeout' : `${event}, ${eventId}`
  const way = from === null ? `starts in ${to}` : `${from} → ${to}`
  return `${way} at ${formatInstant(at).slice(0, 19).replace('T', ' ')}  (${why})`
}
