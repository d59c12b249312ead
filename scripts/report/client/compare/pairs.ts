/** Numbers of two sides of a comparison beside one another. */

import { rateOf } from '../../cube/slice-funnel.ts'
import type { FunnelPart, MaturedPart } from '../../document.ts'
import type { Side } from './side.ts'

/** A rate of both sides, such as the conversion of a step; null where a side has none. */
export type Pair = {
  /** The funnel, or `moves`. */
  of: string
  name: string
  first: MaturedPart | null
  second: MaturedPart | null
}

/** How often something happened on both sides, and in how many runs it could. */
export type CountPair = { name: string; first: number; second: number }

/** Returns the steps of the funnels that either side has, each funnel with the whole last. */
export function funnelPairs(first: Side, second: Side): Pair[] {
  const names = new Set([...first.funnels, ...second.funnels].map(({ name }) => name))
  return [...names].flatMap((of) => {
    const [a, b] = [first, second].map(({ funnels }) => funnels.find(({ name }) => name === of))
    const steps = new Set(
      [a, b].flatMap((part) => part?.steps.slice(1).map(({ step }) => step) ?? []),
    )
    return [
      ...[...steps].map((step) => ({
        of,
        name: `to ${step}`,
        first: stepOf(a, step),
        second: stepOf(b, step),
      })),
      { of, name: 'Whole funnel', first: a?.matured ?? null, second: b?.matured ?? null },
    ]
  })
}

const stepOf = (part: FunnelPart | undefined, step: string): MaturedPart | null =>
  part?.steps.slice(1).find((one) => one.step === step)?.matured ?? null

/** Returns each way out of a state as a share of all moves from there, the commonest first. */
export function movePairs(first: Side, second: Side): Pair[] {
  const paths = [...new Set([...first.moves.keys(), ...second.moves.keys()])]
  const times = (path: string) => (first.moves.get(path) ?? 0) + (second.moves.get(path) ?? 0)
  const exits = [first, second].map((side) => {
    const sums = new Map<string, number>()
    for (const [path, count] of side.moves)
      sums.set(fromOf(path), (sums.get(fromOf(path)) ?? 0) + count)
    return sums
  })
  const shareOf = (side: Side, i: number, path: string) =>
    rateOf(exits[i]?.get(fromOf(path)) ?? 0, side.moves.get(path) ?? 0)
  return paths
    .filter((path) => !path.startsWith('start > '))
    .sort((a, b) => times(b) - times(a) || (a < b ? -1 : 1))
    .map((path) => {
      const [cause, from, to] = path.split(' > ')
      return {
        of: 'moves',
        name: `${from} → ${to}${cause === 'timeout' ? ' by timeout' : ''}`,
        first: shareOf(first, 0, path),
        second: shareOf(second, 1, path),
      }
    })
}

const fromOf = (path: string): string => path.split(' > ')[1] ?? ''

/** Runs that began. */
export function startedOf({ moves }: Side): number {
  let total = 0
  for (const [path, count] of moves) if (path.startsWith('start > ')) total += count
  return total
}

/** Returns how often each cycle was completed, the commonest first. */
export function cyclePairs(first: Side, second: Side): CountPair[] {
  return [...new Set([...first.cycles.keys(), ...second.cycles.keys()])]
    .map((path) => ({
      name: path.replaceAll(' > ', ' → '),
      first: first.cycles.get(path) ?? 0,
      second: second.cycles.get(path) ?? 0,
    }))
    .sort((a, b) => b.first + b.second - a.first - a.second || (a.name < b.name ? -1 : 1))
}
