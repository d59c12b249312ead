/**
 * Codes of the texts of paths (`cart > checkout > cart`) through the states of one track: a tree of the
 * paths that occur, so that a path that occurs again makes no text.
 */

import { NO_TEXT, type Texts } from '../../base/texts.ts'
import type { Ints } from '../../stages/growable-array.ts'

/** `next` is by state. */
type Node = { code: number; next: (Node | undefined)[] }

export class PathCodes {
  readonly #texts: Texts
  readonly #states: readonly string[]
  readonly #root: Node = { code: NO_TEXT, next: [] }

  /** `states` are the names of the track's states. */
  constructor(texts: Texts, states: readonly string[]) {
    this.#texts = texts
    this.#states = states
  }

  /** Returns the code of the path with the states from position `from` up to `end`. */
  codeOf(states: Ints, from: number, end: number): number {
    let node = this.#root
    for (let at = from; at < end; at++) {
      const state = states.at(at)
      node = node.next[state] ??= { code: NO_TEXT, next: [] }
    }
    if (node.code === NO_TEXT) node.code = this.#texts.code(this.#textOf(states, from, end))
    return node.code
  }

  #textOf(states: Ints, from: number, end: number): string {
    const names: string[] = []
    for (let at = from; at < end; at++) names.push(this.#states[states.at(at)] as string)
    return names.join(' > ')
  }
}
