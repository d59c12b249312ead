/**
 * Order in which ways are kept where not all fit: one way into each state, then the ways back,
 * then the ways on. Ways back are rarer than ways on, so by count alone they would go first.
 */

import type { WayPart } from './document.ts'

export type WaysInOrder = {
  ways: WayPart[]
  /** Ways that connect the states; they come first. */
  connecting: number
  /** Ways back among the others; they come next. */
  back: number
}

/** Whether a way leads to an earlier state of the definition, or to the state it started from. */
export function backIn(states: readonly string[]): (way: { from: string; to: string }) => boolean {
  const rank = new Map(states.map((state, i) => [state, i]))
  return ({ from, to }) => (rank.get(to) ?? 0) <= (rank.get(from) ?? 0)
}

/** Returns all ways in the order in which they are kept; each group by count, commonest first. */
export function keptFirst(states: readonly string[], all: readonly WayPart[]): WaysInOrder {
  const isBack = backIn(states)
  const byCount = all.toSorted((a, b) => b.count - a.count)
  // The first state needs no way into it: runs start there.
  const entrances = states.slice(1).map((state) => {
    const into = byCount.filter(({ from, to }) => to === state && from !== state)
    return into.find((way) => !isBack(way)) ?? into[0]
  })
  const connecting = new Set(entrances.filter((way) => way !== undefined))
  const others = byCount.filter((way) => !connecting.has(way))
  const back = others.filter(isBack)
  const on = others.filter((way) => !isBack(way))
  return {
    ways: [...byCount.filter((way) => connecting.has(way)), ...back, ...on],
    connecting: connecting.size,
    back: back.length,
  }
}
