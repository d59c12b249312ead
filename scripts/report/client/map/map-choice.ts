/** Ways that the map shows: how many at first, and what is left out, with counts. */

import type { StatePart, WayPart } from '../../document.ts'
import { backIn, keptFirst } from '../../ways-order.ts'
import { counted, exactly, percent } from '../format.ts'
import { sum } from './map-words.ts'

/** A map of so few ways shows all of them. */
const ALL_UP_TO = 24
const EACH_AT_FIRST = 24
/** Share of the moves of a kind, back or on, that is shown at first. */
const COVERAGE_AT_FIRST = 0.95

export class WayChoice {
  /** In the order in which they are kept. */
  readonly ways: WayPart[]
  readonly isBack: (way: { from: string; to: string }) => boolean
  readonly atFirst: number

  constructor(states: StatePart[], all: WayPart[]) {
    const names = states.map(({ name }) => name)
    this.isBack = backIn(names)
    const { ways, connecting, back } = keptFirst(names, all)
    if (ways.length <= ALL_UP_TO) {
      this.ways = ways
      this.atFirst = ways.length
      return
    }
    const first = ways.slice(0, connecting)
    const [backs, ons] = [ways.slice(connecting, connecting + back), ways.slice(connecting + back)]
    const [fewBacks, fewOns] = [backs, ons].map((kind) => commonest(kind)) as [number, number]
    this.ways = [
      ...first,
      ...backs.slice(0, fewBacks),
      ...ons.slice(0, fewOns),
      ...backs.slice(fewBacks),
      ...ons.slice(fewOns),
    ]
    this.atFirst = connecting + fewBacks + fewOns
  }

  /** Whether there is anything to choose. */
  get isLarge(): boolean {
    return this.ways.length > ALL_UP_TO
  }

  /** Returns what the first `shown` ways cover. */
  coverage(shown: number): string {
    const [moves, all] = [movesOf(this.ways.slice(0, shown)), movesOf(this.ways)]
    return `${shown} of ${this.ways.length} ways, ${percent(moves / all)} of all moves`
  }

  /** Returns what the map leaves out behind the first `shown` ways; empty if that is nothing. */
  leftOut(shown: number): string {
    const hidden = this.ways.slice(shown)
    if (hidden.length === 0) return ''
    const back = hidden.filter(this.isBack)
    const backAll = this.ways.filter(this.isBack).length
    const moves = (ways: WayPart[]) =>
      `${exactly(movesOf(ways))} ${movesOf(ways) === 1 ? 'move' : 'moves'}`
    return (
      `Not drawn: ${counted(hidden.length, 'rarer way', 'rarer ways')} with ${moves(hidden)}. ` +
      (back.length === 0
        ? `All ${counted(backAll, 'way', 'ways')} back are drawn.`
        : `Of the ${counted(backAll, 'way', 'ways')} back, ${exactly(back.length)} with ` +
          `${moves(back)} are not drawn.`)
    )
  }
}

const movesOf = (ways: WayPart[]): number => sum(ways.map(({ count }) => count))

/** How many of the commonest ways, given in that order, cover enough. */
function commonest(ways: WayPart[]): number {
  const enough = COVERAGE_AT_FIRST * movesOf(ways)
  let covered = 0
  const needed = ways.findIndex(({ count }) => (covered += count) >= enough)
  return Math.min(EACH_AT_FIRST, needed + 1)
}
